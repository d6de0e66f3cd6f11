import createCodec from '@jsquash/avif/codec/dec/avif_dec.js';
import { CodedError } from '../../../errors.ts';
import { malformed } from '../../image-error.ts';
import type { StillImage } from '../../isobmff/parse-still-image.ts';
import { limitMemory } from '../../limit-memory.ts';
import type { AvifPicture } from './picture.ts';
import { PictureReader } from './picture-reader.ts';
import { relaxStrictness } from './strictness.ts';
import { UnknownModuleError } from './unknown-module-error.ts';

/** Compiled modules: `@jsquash/avif/codec/dec/avif_dec.wasm`, and `hooks.wasm` of this folder. */
export interface AvifModules {
  readonly libavif: WebAssembly.Module;
  readonly hooks: WebAssembly.Module;
}

/**
 * Where the table of functions of @jsquash/avif 2.1.1 has `getNextImage` of libavif's codec for libaom, and `read` of its
 * reader of memory. Each is the only function of its type in the table.
 */
const slots = { getNextImage: 7, read: 4 } as const;

/** Ends the work of libavif: the picture is there. */
const pictureIsComplete = new Error('The picture is complete.');

/**
 * Decodes the AV1 of a file to its planes. libavif, compiled to WebAssembly, would convert them to RGBA by a build that
 * rounds otherwise than Pillow's. So the call by which it asks its codec for a picture is taken over: once the last part
 * is decoded, the call ends in an exception, and the planes are read where the codec has put them. They stay in the
 * memory of the instance, which no one else uses.
 *
 * @param picture what the boxes of the file say.
 * @throws {CodedError} `image_malformed`, `image_too_many_pixels`, `image_format_unsupported`.
 * @throws {UnknownModuleError} if the module is another than this was made for.
 */
export async function decodePicture(
  modules: AvifModules,
  file: Uint8Array,
  picture: StillImage,
  maxHeapBytes: number,
): Promise<AvifPicture> {
  let isFull = () => false;
  // What goes wrong while it is made ends in `createCodec`.
  let reader: PictureReader | undefined;
  const instantiateWasm = (
    imports: WebAssembly.Imports,
    use: (instance: WebAssembly.Instance) => void,
  ): WebAssembly.Exports => {
    // workerd compiles no WebAssembly from bytes: the module comes compiled and is only instantiated.
    const instance = new WebAssembly.Instance(modules.libavif, imports);
    isFull = limitMemory(instance, maxHeapBytes);
    reader = hookReader(instance, modules.hooks, picture);
    use(instance);
    return instance.exports;
  };
  const codec = await createCodec({ noInitialRun: true, print: ignore, printErr: ignore, instantiateWasm });
  let cause: unknown;
  try {
    const image = codec.decode(file, 8);
    if (image !== null && !reader!.hasSeenParts)
      cause = new UnknownModuleError('libavif', 'its codec is called otherwise');
  } catch (thrown) {
    if (thrown === pictureIsComplete) return reader!.toPicture();
    cause = thrown;
  }
  if (isFull()) {
    throw new CodedError('image_too_many_pixels', 'The AVIF takes more memory than there is.', { cause });
  }
  if (cause instanceof CodedError || cause instanceof UnknownModuleError) throw cause;
  // The codec does not say why; the container is known to be whole, so its content is at fault.
  throw malformed('avif', 'it cannot be decoded', { cause });
}

/** Has a reader see each picture that the codec decodes, and libavif be as strict as Pillow has it. */
function hookReader(
  { exports }: WebAssembly.Instance,
  hooks: WebAssembly.Module,
  picture: StillImage,
): PictureReader {
  const exported = Object.values(exports);
  const table = exported.find((value) => value instanceof WebAssembly.Table);
  const memory = exported.find((value) => value instanceof WebAssembly.Memory);
  const nextImage: unknown = table?.get(slots.getNextImage);
  const readFile: unknown = table?.get(slots.read);
  if (!table || !memory || !isFunctionOf(6, nextImage) || !isFunctionOf(5, readFile)) {
    throw new UnknownModuleError('libavif', 'its table of functions is another');
  }
  const reader = new PictureReader(memory, picture);
  const getNextImage = (...call: number[]): number => {
    const [, decoder, sample, isAlpha, isLimitedAlpha, image] = call as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const result = nextImage(...call);
    if (result === 0) return result;
    if (reader.read({ decoder, sample, image, isAlpha: isAlpha !== 0, isLimitedAlpha }))
      throw pictureIsComplete;
    return result;
  };
  const read = (...call: (number | bigint)[]): number => {
    // The first bytes of the file are asked for before any flag is.
    table.set(slots.read, readFile);
    if (!relaxStrictness(memory, Number(call[0])))
      throw new UnknownModuleError('libavif', 'its decoder has another structure');
    return readFile(...call);
  };
  const hooked = new WebAssembly.Instance(hooks, { hook: { getNextImage, read } }).exports;
  table.set(slots.getNextImage, hooked['getNextImage']);
  table.set(slots.read, hooked['read']);
  return reader;
}

/** WebAssembly tells JavaScript no more of a function's type. */
function isFunctionOf(
  parameters: number,
  value: unknown,
): value is (...parameters: (number | bigint)[]) => number {
  return typeof value === 'function' && value.length === parameters;
}

function ignore(): void {}
