/**
 * Bounds the memory that an instance exports. Growing beyond the limit fails, as if there were no more: malloc gives 0.
 *
 * @returns whether the limit was met.
 */
export function limitMemory(instance: WebAssembly.Instance, maxBytes: number): () => boolean {
  let isFull = false;
  for (const memory of Object.values(instance.exports)) {
    if (!(memory instanceof WebAssembly.Memory)) continue;
    const grow = memory.grow.bind(memory);
    memory.grow = (pages) => {
      if (memory.buffer.byteLength + pages * 65_536 > maxBytes) {
        isFull = true;
        throw new RangeError('The heap has its full size.');
      }
      return grow(pages);
    };
  }
  return () => isFull;
}
