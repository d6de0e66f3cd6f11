/** Sets the bits [start, end). The first bit of a byte is its highest. */
export function setBits(target: Uint8Array, start: number, end: number): void {
  const first = start >> 3;
  const last = end >> 3;
  const head = 0xff >> (start & 7);
  const tail = (0xff00 >> (end & 7)) & 0xff;
  if (first === last) {
    target[first]! |= head & tail;
    return;
  }
  target[first]! |= head;
  target.fill(0xff, first + 1, last);
  if (tail !== 0) target[last]! |= tail;
}
