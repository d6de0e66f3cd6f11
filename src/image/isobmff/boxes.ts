/** A box of an ISO base media file. Its content lies in [start, end); `end` is cut where its parent ends. */
export interface Box {
  /** Four characters. */
  readonly type: string;
  readonly start: number;
  readonly end: number;
  /** False if the box says that it is longer than its parent. */
  readonly complete: boolean;
}

/**
 * Walks the boxes that lie in [start, end), one after another.
 *
 * @see ISO/IEC 14496-12 section 4.2 (object structure)
 */
export function* boxesIn(bytes: Uint8Array, start: number, end: number): Generator<Box> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let position = start;
  while (position + 8 <= end) {
    const type = fourCharacters(bytes, position + 4);
    let size = view.getUint32(position);
    let content = position + 8;
    if (size === 1) {
      if (position + 16 > end) return;
      size = Number(view.getBigUint64(position + 8));
      content += 8;
    }
    // Size 0: the box reaches to the end.
    const declaredEnd = size === 0 ? end : position + size;
    if (declaredEnd < content) return;
    yield { type, start: content, end: Math.min(declaredEnd, end), complete: declaredEnd <= end };
    position = declaredEnd;
  }
}

export function findBox(bytes: Uint8Array, start: number, end: number, type: string): Box | undefined {
  for (const box of boxesIn(bytes, start, end)) if (box.type === type) return box;
  return undefined;
}

export function fourCharacters(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!);
}
