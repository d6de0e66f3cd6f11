import createLibheif from 'libheif-js/libheif-wasm/libheif.js';
import { CodedError } from '../../../errors.ts';
import { malformed, truncated, unsupported } from '../../image-error.ts';
import { limitMemory } from '../../limit-memory.ts';
import { restoreInLoopFilters } from './in-loop-filters.ts';
import type { LibheifModule } from './libheif-module.ts';

/** Numbers of libheif's C API (heif_error.h, heif_image.h). */
const colorspaceRgb = 1;
const chromaInterleavedRgb = 10;
const channelInterleaved = 10;
const endOfData = 100;
const unsupportedFileType = 3;
const unsupportedFeature = 4;
const memoryAllocation = 6;

/** Offsets in heif_decoding_options and heif_image_tiling of wasm32. */
const ignoreTransformations = 1;
const strictDecoding = 21;
const tilingWords = { columns: 1, rows: 2, tileWidth: 3, tileHeight: 4, width: 5, height: 6 } as const;
const tilingBytes = 64;
const errorBytes = 12;

/** Compiled modules: `libheif-js/libheif-wasm/libheif.wasm`, and `flush-hook.wasm` of this folder. */
export interface HeicModules {
  readonly libheif: WebAssembly.Module;
  readonly flushHook: WebAssembly.Module;
}

export type Tiling = Readonly<Record<keyof typeof tilingWords, number>>;

/** Pixels as coded: RGB uint8 in the heap of its file, until it is released. */
export interface HeicPixels {
  readonly width: number;
  readonly height: number;
  /** Copies pixels [from, end) of a row to `rgb`, at `at` bytes. */
  copyRow(y: number, from: number, end: number, rgb: Uint8Array, at: number): void;
  release(): void;
}

/**
 * A file that libheif has opened, in an instance of its own: nothing of it is left for the next file, and its heap,
 * which never shrinks, is freed with it.
 */
export class HeicFile {
  readonly #module: LibheifModule;
  readonly #isFull: () => boolean;
  readonly #error: number;
  readonly #out: number;
  readonly #options: number;
  readonly #handle: number;

  /**
   * @param maxHeapBytes the heap does not grow beyond it.
   * @throws {CodedError} `image_malformed`, `image_truncated`, `image_too_many_pixels`, `image_format_unsupported`.
   */
  constructor(modules: HeicModules, bytes: Uint8Array, maxHeapBytes: number) {
    const { module, isFull } = instantiate(modules, maxHeapBytes);
    this.#module = module;
    this.#isFull = isFull;
    this.#error = module._malloc(errorBytes);
    this.#out = module._malloc(tilingBytes);
    const data = module._malloc(bytes.length);
    if (data === 0) throw this.#toError();
    module.HEAPU8.set(bytes, data);
    this.#options = module._heif_decoding_options_alloc();
    module.HEAPU8[this.#options + ignoreTransformations] = 1;
    module.HEAPU8[this.#options + strictDecoding] = 1;
    this.#handle = this.#call(() => {
      const context = module._heif_context_alloc();
      module._heif_context_read_from_memory_without_copy(this.#error, context, data, bytes.length, 0);
      this.#assertOk();
      module._heif_context_get_primary_image_handle(this.#error, context, this.#out);
      this.#assertOk();
      return this.#word(this.#out);
    });
  }

  /** @throws {CodedError} as the constructor. */
  readTiling(): Tiling {
    return this.#call(() => {
      this.#module._heif_image_handle_get_image_tiling(this.#error, this.#handle, 0, this.#out);
      this.#assertOk();
      const words = Object.entries(tilingWords).map(([name, i]) => [name, this.#word(this.#out + 4 * i)]);
      return Object.fromEntries(words) as Tiling;
    });
  }

  /** A tile of a grid. @throws {CodedError} as the constructor. */
  decodeTile(column: number, row: number): HeicPixels {
    return this.#decode((call) => {
      this.#module._heif_image_handle_decode_image_tile(...call, this.#options, column, row);
    });
  }

  /** @throws {CodedError} as the constructor. */
  decodeWhole(): HeicPixels {
    return this.#decode((call) => this.#module._heif_decode_image(...call, this.#options));
  }

  #decode(decode: (call: [number, number, number, number, number]) => void): HeicPixels {
    const module = this.#module;
    return this.#call(() => {
      decode([this.#error, this.#handle, this.#out, colorspaceRgb, chromaInterleavedRgb]);
      this.#assertOk();
      const image = this.#word(this.#out);
      const plane = module._heif_image_get_plane_readonly(image, channelInterleaved, this.#out);
      const stride = this.#word(this.#out);
      return {
        width: module._heif_image_get_width(image, channelInterleaved),
        height: module._heif_image_get_height(image, channelInterleaved),
        copyRow(y, from, end, rgb, at) {
          const start = plane + y * stride;
          rgb.set(module.HEAPU8.subarray(start + from * 3, start + end * 3), at);
        },
        release: () => module._heif_image_release(image),
      };
    });
  }

  /** Whatever goes wrong in the module ends as an error with a code: it throws numbers, and traps. */
  #call<T>(use: () => T): T {
    try {
      return use();
    } catch (cause) {
      if (cause instanceof CodedError) throw cause;
      throw this.#toError(cause);
    }
  }

  #assertOk(): void {
    if (this.#word(this.#error) !== 0) throw this.#toError();
  }

  #toError(cause?: unknown): CodedError {
    const code = cause === undefined ? this.#word(this.#error) : undefined;
    if (this.#isFull() || code === memoryAllocation) {
      return new CodedError(
        'image_too_many_pixels',
        'The HEIC takes more memory than there is for a picture that is not made of small tiles.',
        { cause },
      );
    }
    if (code === unsupportedFeature || code === unsupportedFileType) {
      return unsupported('heic', 'libheif does not decode it');
    }
    if (code !== undefined && this.#word(this.#error + 4) === endOfData) {
      return truncated('heic', 'inside one of its items');
    }
    return malformed('heic', 'it cannot be decoded', { cause });
  }

  #word(at: number): number {
    return new DataView(this.#module.HEAPU8.buffer).getUint32(at, true);
  }
}

/** Names that the glue reads, since it takes workerd for Node where `process` is defined. */
const nodeNames = { __dirname: '/', __filename: '/libheif.js' };

function instantiate(
  { libheif, flushHook }: HeicModules,
  maxHeapBytes: number,
): { readonly module: LibheifModule; readonly isFull: () => boolean } {
  let isFull = () => false;
  let instance: WebAssembly.Instance | undefined;
  const names = Object.entries(nodeNames).filter(([name]) => !(name in globalThis));
  for (const [name, value] of names) Reflect.set(globalThis, name, value);
  try {
    // Its types are those of the JavaScript interface; what decodes tiles is among the exports that they leave out.
    const module = createLibheif({
      print: () => {},
      printErr: () => {},
      // workerd compiles no WebAssembly from bytes: the module comes compiled and is only instantiated.
      instantiateWasm(imports: WebAssembly.Imports, use: (instance: WebAssembly.Instance) => void) {
        instance = new WebAssembly.Instance(libheif, imports);
        isFull = limitMemory(instance, maxHeapBytes);
        use(instance);
        return instance.exports;
      },
    }) as unknown as LibheifModule;
    restoreInLoopFilters(module, instance!, flushHook);
    return { module, isFull };
  } finally {
    for (const [name] of names) Reflect.deleteProperty(globalThis, name);
  }
}
