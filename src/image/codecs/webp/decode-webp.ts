import createCodec from '@jsquash/webp/codec/dec/webp_dec.js';
import { CodedError } from '../../../errors.ts';
import { maxWebpBytes, webpBytesPerFileByte, webpBytesPerPixel } from '../../../limits.ts';
import type { ImageHeader, RowSink } from '../../image.ts';
import { malformed, truncated } from '../../image-error.ts';
import { toStillImage } from './still-image.ts';

/** Hands over the compiled `@jsquash/webp/codec/dec/webp_dec.wasm`. Asked for only if an image needs it. */
export type WebpModuleLoader = () => WebAssembly.Module | Promise<WebAssembly.Module>;

/**
 * Decodes a WebP (lossy, lossless, the first frame of an animation) with libwebp compiled to WebAssembly.
 * It decodes whole frames, so its pixels are capped by memory. Each call has an instance of its own,
 * whose heap is freed with it: a WebAssembly heap never shrinks.
 *
 * @param loadModule undefined where no decoder is deployed.
 * @throws {CodedError} `image_too_many_pixels`, `image_malformed`, `image_truncated`,
 *   `image_format_unsupported`.
 * @see RFC 9649 (WebP), RFC 6386 (VP8)
 */
export async function decodeWebp(
  bytes: Uint8Array,
  header: ImageHeader,
  sink: RowSink,
  loadModule: WebpModuleLoader | undefined,
): Promise<void> {
  const { width, height } = header;
  if (loadModule === undefined) {
    throw new CodedError('image_format_unsupported', 'WebP is not decoded here. Send a JPEG or a PNG.');
  }
  const still = toStillImage(bytes);
  const bytesPerPixel = still.isPlainLossy ? webpBytesPerPixel.lossy : webpBytesPerPixel.losslessOrAlpha;
  const forPixels = maxWebpBytes - still.file.length * webpBytesPerFileByte;
  const maxPixels = Math.max(0, Math.floor(forPixels / bytesPerPixel));
  if (still.width * still.height > maxPixels) {
    throw new CodedError(
      'image_too_many_pixels',
      `The WebP declares ${still.width} x ${still.height} pixels; of this kind and length, at most ${maxPixels} are decoded.`,
    );
  }
  if (still.left + still.width > width || still.top + still.height > height) {
    throw malformed('webp', 'its frame is larger than its canvas');
  }
  const rgba = await decodeFrame(await loadModule(), still.file, still.width, still.height);
  const { window } = sink;
  const rgb = new Uint8Array(window.right * 3);
  for (let y = window.top; y < window.bottom; y++) {
    rgb.fill(0);
    const row = y - still.top;
    if (row >= 0 && row < still.height) {
      const first = Math.max(window.left, still.left);
      const end = Math.min(window.right, still.left + still.width);
      for (let x = first; x < end; x++) {
        const from = (row * still.width + x - still.left) * 4;
        rgb[x * 3] = rgba[from]!;
        rgb[x * 3 + 1] = rgba[from + 1]!;
        rgb[x * 3 + 2] = rgba[from + 2]!;
      }
    }
    sink.writeRow(rgb, y);
  }
}

/** @returns RGBA, HWC. */
async function decodeFrame(
  module: WebAssembly.Module,
  file: Uint8Array,
  width: number,
  height: number,
): Promise<Uint8ClampedArray> {
  let image: { data: Uint8ClampedArray; width: number; height: number } | null;
  try {
    const codec = await createCodec({
      noInitialRun: true,
      // workerd compiles no WebAssembly from bytes: the module comes compiled and is only instantiated.
      instantiateWasm: (imports: WebAssembly.Imports, use: (instance: WebAssembly.Instance) => void) => {
        const instance = new WebAssembly.Instance(module, imports);
        use(instance);
        return instance.exports;
      },
    });
    image = codec.decode(file);
  } catch (cause) {
    throw malformed('webp', 'it cannot be decoded', { cause });
  }
  // The codec does not say why; the container is known to be whole, so its content is at fault.
  if (image === null) throw malformed('webp', 'it cannot be decoded');
  if (image.width !== width || image.height !== height) throw truncated('webp', 'its headers disagree');
  return image.data;
}
