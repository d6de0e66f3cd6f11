import type { Warn } from '../../../warnings.ts';
import type { RowSink } from '../../image.ts';
import { malformed, unsupported } from '../../image-error.ts';
import type { PixelArena } from '../../pixel-arena.ts';
import { decodeJpeg, type JpegContainer } from '../jpeg/decode-jpeg.ts';
import type { JpegFrame } from '../jpeg/frame.ts';
import type { TiffDirectory } from './directory.ts';
import { assembleOldJpeg } from './old-jpeg-stream.ts';
import { createDeclaredConversion } from './ycbcr.ts';

/**
 * Decodes JPEG in the old style as libtiff does: chroma is repeated, not interpolated, and becomes RGB by what the file
 * declares.
 *
 * @throws {CodedError} `image_malformed`, `image_truncated`, `image_format_unsupported`, `image_too_complex`.
 * @see TIFF 6.0 section 22; libtiff tif_ojpeg.c
 */
export function decodeOldJpeg(
  bytes: Uint8Array,
  directory: TiffDirectory,
  sink: RowSink,
  warn: Warn,
  arena: PixelArena | undefined,
): void {
  if (directory.planarConfiguration === 2 && directory.samplesPerPixel > 1) {
    throw unsupported('tiff', 'planes of JPEG in the old style');
  }
  const { window } = sink;
  const isGrey = directory.samplesPerPixel === 1;
  const convert = createDeclaredConversion(directory);
  const writeRow = (rgb: Uint8Array, y: number) => {
    if (!isGrey) {
      for (let i = window.left * 3; i < window.right * 3; i += 3)
        convert(rgb[i]!, rgb[i + 1]!, rgb[i + 2]!, rgb, i);
    }
    sink.writeRow(rgb, y);
  };
  const container: JpegContainer = {
    tables: undefined,
    colour: isGrey ? 'grey' : 'rgb',
    upsampling: 'replicate',
    assertFrame: (frame) => assertFits(frame, directory),
  };
  decodeJpeg(assembleOldJpeg(bytes, directory), { window, writeRow }, { arena, container, warn });
}

function assertFits({ width, height, components }: JpegFrame, directory: TiffDirectory): void {
  const isWhole = width === directory.width && height >= directory.height;
  if (!isWhole || components.length !== directory.samplesPerPixel) {
    throw malformed('tiff', `a JPEG of ${width} x ${height} pixels of ${components.length} components`);
  }
}
