import { CodedError } from '../../../errors.ts';
import { malformed } from '../../image-error.ts';
import { limitMemory } from '../../limit-memory.ts';
import type { Plane } from './picture.ts';
import { TileEnds } from './tile-ends.ts';
import { UnknownModuleError } from './unknown-module-error.ts';

/** A picture of 4:2:0 and 8 bits in dav1d's heap. */
export interface Dav1dFrame {
  readonly width: number;
  readonly height: number;
  /** Y, Cb, Cr. */
  readonly planes: readonly Plane[];
}

/** What `ogv-decoder-video-av1-wasm.wasm` of ogv 1.8.9 exports. */
interface Dav1dExports {
  readonly memory: WebAssembly.Memory;
  readonly construct: () => void;
  readonly open: () => void;
  readonly processFrame: (address: number, length: number) => number;
  readonly free: (address: number) => void;
  readonly malloc: (length: number) => number;
}

const exportNames = {
  memory: 'h',
  construct: 'i',
  open: 'j',
  processFrame: 'n',
  free: 'o',
  malloc: 'q',
} as const satisfies Record<keyof Dav1dExports, string>;

/** Arguments by which its wrapper hands over a picture. @see ogv.js src/c/ogv-decoder-video.h, `ogvjs_callback_frame` */
const frameAt = { planes: [0, 2, 4], strides: [1, 3, 5], width: 10, height: 11 } as const;

const pageBytes = 65_536;
/** Error numbers of WASI. */
const success = 0;
const notSeekable = 70;

/**
 * dav1d, the AV1 decoder of VideoLAN, as ogv.js has compiled it: 8 bits, one thread, 4:2:0 only. Its functions are called
 * without ogv.js's own JavaScript, which asks for a browser and copies each picture. One instance decodes the parts of one
 * file, one after another, and is thrown away with its heap.
 *
 * @see ogv.js src/c/ogv-decoder-video-av1.c; dav1d include/dav1d/dav1d.h
 */
export class Dav1d {
  readonly #exports: Dav1dExports;
  readonly #isFull: () => boolean;
  readonly #tileEnds: TileEnds;
  #onFrame: ((frame: Dav1dFrame) => void) | undefined;

  /**
   * @param module compiled `ogv/dist/ogv-decoder-video-av1-wasm.wasm`.
   * @param maxHeapBytes the heap does not grow beyond it.
   * @throws {UnknownModuleError} if the module is of another build.
   */
  constructor(module: WebAssembly.Module, maxHeapBytes: number) {
    const instance = this.#instantiate(module);
    this.#isFull = limitMemory(instance, maxHeapBytes);
    this.#exports = toExports(instance);
    this.#tileEnds = new TileEnds(this.#exports.memory);
    this.#exports.construct();
    this.#exports.open();
  }

  /**
   * Decodes one temporal unit that has one picture.
   *
   * @param use is called once with the picture, which lies in the heap until `use` returns.
   * @throws {CodedError} `image_malformed`, `image_too_many_pixels`; and what `use` throws.
   */
  decode(unit: Uint8Array, use: (frame: Dav1dFrame) => void): void {
    const { malloc, free, memory, processFrame } = this.#exports;
    const address = malloc(unit.length);
    let isShown = false;
    let thrown: unknown;
    this.#onFrame = (frame) => {
      if (isShown) return;
      isShown = true;
      try {
        if (!this.#tileEnds.areWhole(address, address + unit.length))
          throw malformed('avif', 'its tiles are damaged');
        use(frame);
      } catch (error) {
        thrown = error;
        throw error;
      }
    };
    let cause: unknown;
    try {
      if (address !== 0) {
        new Uint8Array(memory.buffer).set(unit, address);
        processFrame(address, unit.length);
        free(address);
      }
    } catch (error) {
      cause = error;
    }
    if (thrown !== undefined) throw thrown;
    if (isShown && cause === undefined) return;
    if (this.#isFull()) {
      throw new CodedError('image_too_many_pixels', 'The AVIF takes more memory than there is.', { cause });
    }
    // dav1d does not say why, and traps on a picture that is not of 4:2:0.
    throw malformed('avif', 'it cannot be decoded', { cause });
  }

  /** Under the names that emscripten has given to its imports. */
  #instantiate(module: WebAssembly.Module): WebAssembly.Instance {
    const imports = {
      /** fd_write: dav1d tells of errors; nobody reads it. */
      a: (_file: number, vectors: number, count: number, written: number) => {
        this.#discard(vectors, count, written);
        return success;
      },
      /** fd_seek */
      b: () => notSeekable,
      c: (bytes: number) => this.#grow(bytes >>> 0),
      /** fd_close */
      d: () => success,
      e: (to: number, from: number, count: number) => {
        new Uint8Array(this.#exports.memory.buffer).copyWithin(to, from, from + count);
      },
      f: () => {
        throw new WebAssembly.RuntimeError('dav1d has aborted.');
      },
      g: (...call: number[]) => this.#onFrame?.(this.#toFrame(call)),
    };
    try {
      return new WebAssembly.Instance(module, { a: imports });
    } catch (cause) {
      throw new UnknownModuleError('dav1d', 'it imports other functions', { cause });
    }
  }

  #discard(vectors: number, count: number, written: number): void {
    const view = new DataView(this.#exports.memory.buffer);
    let total = 0;
    for (let i = 0; i < count; i++) total += view.getUint32(vectors + 8 * i + 4, true);
    view.setUint32(written, total, true);
  }

  /** @returns 1, or 0 beyond the limit: malloc gives 0 then. */
  #grow(bytes: number): number {
    const { memory } = this.#exports;
    try {
      memory.grow(Math.ceil((bytes - memory.buffer.byteLength) / pageBytes));
      return 1;
    } catch {
      return 0;
    }
  }

  #toFrame(call: readonly number[]): Dav1dFrame {
    const samples = new Uint8Array(this.#exports.memory.buffer);
    const planes = frameAt.planes.map((at, i) => {
      return { samples, start: call[at]! >>> 0, stride: call[frameAt.strides[i]!]! };
    });
    return { width: call[frameAt.width]!, height: call[frameAt.height]!, planes };
  }
}

function toExports({ exports }: WebAssembly.Instance): Dav1dExports {
  const named = Object.entries(exportNames).map(([name, short]) => [name, exports[short]] as const);
  const isKnown = named.every(([name, value]) => {
    return name === 'memory' ? value instanceof WebAssembly.Memory : typeof value === 'function';
  });
  if (!isKnown) throw new UnknownModuleError('dav1d', 'it exports other functions');
  // Each name and kind was looked at; what a function takes and gives, no module says.
  return Object.fromEntries(named) as unknown as Dav1dExports;
}
