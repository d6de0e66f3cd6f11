import createCodec from '@jsquash/avif/codec/dec/avif_dec.js';
import { CodedError } from '../../../errors.ts';
import { avifBaseBytes, avifBytesPerPixel, maxAvifBytes } from '../../../limits.ts';
import type { OptionalDecoder, RowSink } from '../../image.ts';
import { malformed } from '../../image-error.ts';
import { parseStillImage } from '../../isobmff/parse-still-image.ts';
import { limitMemory } from '../../limit-memory.ts';

/** Hands over the compiled `@jsquash/avif/codec/dec/avif_dec.wasm`. Asked for only if an image needs it. */
export type AvifModuleLoader = () => WebAssembly.Module | Promise<WebAssembly.Module>;

/** What a deployment adds to its decoders: `decodeAvif` with the module as its runtime loads it. */
export function createAvifDecoder(loadModule: AvifModuleLoader): OptionalDecoder {
  return (bytes, sink) => decodeAvif(bytes, sink, loadModule);
}

/**
 * Decodes an AVIF with libavif compiled to WebAssembly. It decodes whole frames, so its pixels are capped by memory. Each
 * call has an instance of its own, whose heap is freed with it. The picture is not turned.
 *
 * @throws {CodedError} `image_too_many_pixels`, `image_malformed`, `image_truncated`, `image_format_unsupported`.
 * @see AV1 Image File Format (AVIF)
 */
export async function decodeAvif(
  bytes: Uint8Array,
  sink: RowSink,
  loadModule: AvifModuleLoader,
): Promise<void> {
  const { width, height } = parseStillImage(bytes, 'avif');
  const forPixels = maxAvifBytes - avifBaseBytes - bytes.length;
  const maxPixels = Math.max(0, Math.floor(forPixels / (avifBytesPerPixel.heap + avifBytesPerPixel.copy)));
  if (width * height > maxPixels) {
    throw new CodedError(
      'image_too_many_pixels',
      `The AVIF declares ${width} x ${height} pixels; of this length, at most ${maxPixels} are decoded.`,
    );
  }
  const maxHeapBytes = maxAvifBytes - width * height * avifBytesPerPixel.copy;
  const rgba = await decodeFrame(await loadModule(), bytes, width, height, maxHeapBytes);
  const { window } = sink;
  const rgb = new Uint8Array(window.right * 3);
  for (let y = window.top; y < window.bottom; y++) {
    for (let x = window.left; x < window.right; x++) {
      const from = (y * width + x) * 4;
      rgb[x * 3] = rgba[from]!;
      rgb[x * 3 + 1] = rgba[from + 1]!;
      rgb[x * 3 + 2] = rgba[from + 2]!;
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
  maxHeapBytes: number,
): Promise<Uint8ClampedArray> {
  let isFull = () => false;
  const instantiateWasm = (
    imports: WebAssembly.Imports,
    use: (instance: WebAssembly.Instance) => void,
  ): WebAssembly.Exports => {
    // workerd compiles no WebAssembly from bytes: the module comes compiled and is only instantiated.
    const instance = new WebAssembly.Instance(module, imports);
    isFull = limitMemory(instance, maxHeapBytes);
    use(instance);
    return instance.exports;
  };
  try {
    const codec = await createCodec({ noInitialRun: true, print: ignore, printErr: ignore, instantiateWasm });
    const image = codec.decode(file, 8);
    // The codec does not say why; the container is known to be whole, so its content is at fault.
    if (image === null) throw malformed('avif', 'it cannot be decoded');
    if (image.width !== width || image.height !== height) throw malformed('avif', 'its headers disagree');
    return image.data;
  } catch (cause) {
    if (isFull()) {
      throw new CodedError('image_too_many_pixels', 'The AVIF takes more memory than there is.', { cause });
    }
    if (cause instanceof CodedError) throw cause;
    throw malformed('avif', 'it cannot be decoded', { cause });
  }
}

function ignore(): void {}
