/** What was allocated while something ran. */
export interface Allocations<T> {
  readonly result: PromiseSettledResult<T>;
  /**
   * Bytes of all array buffers, typed arrays and linear memories made by JavaScript or by WebAssembly instances, none deducted for being
   * freed: an upper bound of what was held at any time.
   */
  readonly bytes: number;
}

const pageBytes = 65_536;
const arrayTypes = [
  'ArrayBuffer',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int8Array',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'Float32Array',
  'Float64Array',
] as const;

/**
 * Runs `run` while the constructors of array buffers and typed arrays count. Unlike the resident set
 * size, the count is the same on every machine and run. Modules must be loaded beforehand; one at a time.
 */
export async function countAllocations<T>(run: () => Promise<T>): Promise<Allocations<T>> {
  const scope = globalThis as unknown as Record<string, unknown>;
  const originals = new Map<string, unknown>(arrayTypes.map((name) => [name, scope[name]]));
  let bytes = 0;

  for (const name of arrayTypes) {
    scope[name] = new Proxy(originals.get(name) as object, {
      construct(target, args, newTarget) {
        const made = Reflect.construct(target as never, args, newTarget) as ArrayBufferView;
        const isView = args[0] instanceof (originals.get('ArrayBuffer') as typeof ArrayBuffer);
        if (!isView) bytes += made.byteLength;
        return made;
      },
    });
  }
  const { Memory, Instance } = WebAssembly;
  /** Made by instances themselves: libwebp's. They never shrink, so what they are at the end is the most. */
  const exported = new Set<WebAssembly.Memory>();
  const counted = new WeakSet<WebAssembly.Memory>();
  WebAssembly.Instance = class extends Instance {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports);
      for (const value of Object.values(this.exports)) {
        if (value instanceof Memory && !counted.has(value)) exported.add(value);
      }
    }
  };
  WebAssembly.Memory = class extends Memory {
    /** What limits or reads the memory of an instance finds it by `instanceof`. */
    static override [Symbol.hasInstance](value: unknown): boolean {
      return value instanceof Memory;
    }
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor);
      counted.add(this);
      bytes += this.buffer.byteLength;
    }
    override grow(pages: number): number {
      bytes += pages * pageBytes;
      return super.grow(pages);
    }
  };
  try {
    const [result] = await Promise.allSettled([run()]);
    for (const memory of exported) bytes += memory.buffer.byteLength;
    return { result, bytes };
  } finally {
    for (const [name, original] of originals) scope[name] = original;
    WebAssembly.Memory = Memory;
    WebAssembly.Instance = Instance;
  }
}
