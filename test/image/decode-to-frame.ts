import { decodeBmp } from '../../src/image/codecs/bmp/decode-bmp.ts';
import { decodeGif } from '../../src/image/codecs/gif/decode-gif.ts';
import { decodeJpeg } from '../../src/image/codecs/jpeg/decode-jpeg.ts';
import { decodePng } from '../../src/image/codecs/png/decode-png.ts';
import { decodeTiff } from '../../src/image/codecs/tiff/decode-tiff.ts';
import { decodeWebp } from '../../src/image/codecs/webp/decode-webp.ts';
import type { ImageHeader, RowSink } from '../../src/image/image.ts';
import { parseImageHeader } from '../../src/image/probe.ts';
import { decodeAvif, decodeHeic, loadWebpModule } from './fixtures.ts';

/** All pixels of an image as RGB uint8, HWC, not turned: what the decoders do without the rest of the pipeline. */
export async function decodeToFrame(bytes: Uint8Array): Promise<Uint8Array> {
  const header = parseImageHeader(bytes);
  const { width, height } = header;
  const rgb = new Uint8Array(width * height * 3);
  await decodeWith(bytes, header, {
    window: { left: 0, top: 0, right: width, bottom: height },
    writeRow: (row, y) => rgb.set(row.subarray(0, width * 3), y * width * 3),
  });
  return rgb;
}

/** Chooses the decoder. */
export async function decodeWith(bytes: Uint8Array, header: ImageHeader, sink: RowSink): Promise<void> {
  const decoders = {
    jpeg: () => decodeJpeg(bytes, sink),
    png: async () => decodePng(bytes, sink),
    gif: () => decodeGif(bytes, sink),
    bmp: () => decodeBmp(bytes, sink),
    tiff: () => decodeTiff(bytes, sink, () => {}),
    webp: () => decodeWebp(bytes, header, sink, loadWebpModule),
    heic: () => decodeHeic(bytes, sink),
    avif: () => decodeAvif(bytes, sink),
  };
  await decoders[header.format]();
}
