/** `count` bits from bit `at` on, the first of a byte in its low bits; zeros outside the bytes. At most 25. */
function extract(bytes: Uint8Array, at: number, count: number): number {
  if (at < 0) return count + at <= 0 ? 0 : extract(bytes, 0, count + at) << -at;
  const byte = at >> 3;
  const word =
    (bytes[byte] ?? 0) |
    ((bytes[byte + 1] ?? 0) << 8) |
    ((bytes[byte + 2] ?? 0) << 16) |
    ((bytes[byte + 3] ?? 0) << 24);
  return (word >>> (at & 7)) & ((1 << count) - 1);
}

/** Bits read from the first byte to the last. */
export class ForwardBits {
  readonly #bytes: Uint8Array;
  /** Bits that were taken. */
  position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  peek(count: number): number {
    return extract(this.#bytes, this.position, count);
  }

  read(count: number): number {
    const value = this.peek(count);
    this.position += count;
    return value;
  }
}

/**
 * Bits read from the last byte to the first. They begin below the highest 1 of the last byte.
 *
 * @see RFC 8878 section 4.1 (bitstream)
 */
export class BackwardBits {
  readonly #bytes: Uint8Array;
  /** Bits that are left; below 0 where more were taken than there are. */
  left: number;

  /** `left` is negative from the beginning if there is no 1 to begin below. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    const last = bytes.at(-1) ?? 0;
    this.left = last === 0 ? -1 : bytes.length * 8 - (Math.clz32(last) - 24) - 1;
  }

  /** At most 25, which stay. */
  peek(count: number): number {
    return extract(this.#bytes, this.left - count, count);
  }

  /** At most 25. */
  read(count: number): number {
    this.left -= count;
    return extract(this.#bytes, this.left, count);
  }
}
