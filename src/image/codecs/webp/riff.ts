/** A chunk's payload lies in [start, end); `end` is cut where the file ends. */
export interface RiffChunk {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly complete: boolean;
}

const riffHeaderBytes = 12;

/**
 * Walks the chunks of a WebP file, or those within one of its chunks.
 *
 * @param from where the first begins.
 * @param to where they end.
 * @see RFC 9649 section 2.3 (RIFF file format)
 */
export function* riffChunks(
  bytes: Uint8Array,
  from = riffHeaderBytes,
  to = bytes.length,
): Generator<RiffChunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let position = from;
  while (position + 8 <= to) {
    const start = position + 8;
    const declaredEnd = start + view.getUint32(position + 4, true);
    const type = String.fromCharCode(...bytes.subarray(position, position + 4));
    yield { type, start, end: Math.min(declaredEnd, to), complete: declaredEnd <= to };
    position = declaredEnd + (declaredEnd & 1);
  }
}

/** Bytes the file says it has. @see RFC 9649 section 2.4 (WebP file header) */
export function declaredLength(bytes: Uint8Array): number {
  return 8 + new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(4, true);
}
