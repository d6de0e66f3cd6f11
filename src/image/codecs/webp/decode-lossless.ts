import createCodec from '@jsquash/webp/codec/dec/webp_dec.js';
import { CodedError } from '../../../errors.ts';
import { maxWebpBytes, webpBytesPerFileByte, webpBytesPerPixel } from '../../../limits.ts';
import { malformed, truncated } from '../../image-error.ts';
import { type StillImage, toLosslessFile } from './still-image.ts';

/** Hands over the compiled `@jsquash/webp/codec/dec/webp_dec.wasm`. Asked for only if an image needs it. */
export type WebpModuleLoader = () => WebAssembly.Module | Promise<WebAssembly.Module>;

/**
 * Decodes a lossless image (VP8L) with libwebp compiled to WebAssembly. It decodes whole frames, so that its pixels
 * are capped by memory. Each call has an instance of its own, whose heap is freed with it: a WebAssembly heap never
 * shrinks.
 *
 * @param loadModule undefined where no decoder is deployed.
 * @returns RGBA, HWC.
 * @throws {CodedError} `image_too_many_pixels`, `image_malformed`, `image_truncated`,
 *   `image_format_unsupported`.
 */
export async function decodeLossless(
  bytes: Uint8Array,
  { chunk, width, height }: StillImage,
  loadModule: WebpModuleLoader | undefined,
): Promise<Uint8ClampedArray> {
  if (loadModule === undefined) {
    throw new CodedError(
      'image_format_unsupported',
      'Lossless WebP is not decoded here. Send a lossy one, a JPEG or a PNG.',
    );
  }
  const forPixels = maxWebpBytes - (chunk.end - chunk.start) * webpBytesPerFileByte;
  const maxPixels = Math.max(0, Math.floor(forPixels / webpBytesPerPixel));
  if (width * height > maxPixels) {
    throw new CodedError(
      'image_too_many_pixels',
      `The WebP declares ${width} x ${height} pixels; of lossless ones of this length, at most ${maxPixels} are decoded.`,
    );
  }
  const image = await decodeFile(await loadModule(), toLosslessFile(bytes, chunk));
  // The codec does not say why; the container is known to be whole, so its content is at fault.
  if (image === null) throw malformed('webp', 'it cannot be decoded');
  if (image.width !== width || image.height !== height) throw truncated('webp', 'its headers disagree');
  return image.data;
}

interface RgbaImage {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

async function decodeFile(module: WebAssembly.Module, file: Uint8Array): Promise<RgbaImage | null> {
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
    return codec.decode(file);
  } catch (cause) {
    throw malformed('webp', 'it cannot be decoded', { cause });
  }
}
