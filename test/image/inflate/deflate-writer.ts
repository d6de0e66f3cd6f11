/** Writes Deflate streams bit by bit, also such as no compressor writes. @see RFC 1951 3.1.1, 3.2 */
export class DeflateWriter {
  readonly #bytes: number[] = [];
  #current = 0;
  #count = 0;

  /** A number, lowest bit first. */
  number(value: number, bits: number): void {
    for (let i = 0; i < bits; i++) {
      this.#current |= ((value >> i) & 1) << this.#count;
      if (++this.#count === 8) this.#flush();
    }
  }

  /** A code of a prefix code, highest bit first. */
  code({ code, length }: Code): void {
    for (let i = length - 1; i >= 0; i--) this.number((code >> i) & 1, 1);
  }

  align(): void {
    if (this.#count > 0) this.#flush();
  }

  toBytes(): Uint8Array {
    this.align();
    return Uint8Array.from(this.#bytes);
  }

  #flush(): void {
    this.#bytes.push(this.#current);
    this.#current = 0;
    this.#count = 0;
  }
}

export interface Code {
  readonly code: number;
  readonly length: number;
}

/** The codes that lengths define. @see RFC 1951 3.2.2 */
export function toCodes(lengths: readonly number[]): Code[] {
  const next = new Array<number>(17).fill(0);
  let code = 0;
  for (let length = 1; length <= 15; length++) {
    code = (code + lengths.filter((other) => other === length - 1 && other > 0).length) << 1;
    next[length] = code;
  }
  return lengths.map((length) => ({ code: length === 0 ? 0 : next[length]!++, length }));
}

/** The base and the extra bits of each length and distance symbol. @see RFC 1951 3.2.5 */
export const lengthSymbols = [
  ...[
    [3, 0],
    [4, 0],
    [5, 0],
    [6, 0],
    [7, 0],
    [8, 0],
    [9, 0],
    [10, 0],
    [11, 1],
    [13, 1],
    [15, 1],
    [17, 1],
  ],
  ...[
    [19, 2],
    [23, 2],
    [27, 2],
    [31, 2],
    [35, 3],
    [43, 3],
    [51, 3],
    [59, 3],
    [67, 4],
    [83, 4],
    [99, 4],
  ],
  ...[
    [115, 4],
    [131, 5],
    [163, 5],
    [195, 5],
    [227, 5],
    [258, 0],
  ],
] as const;
export const distanceSymbols = [
  ...[
    [1, 0],
    [2, 0],
    [3, 0],
    [4, 0],
    [5, 1],
    [7, 1],
    [9, 2],
    [13, 2],
    [17, 3],
    [25, 3],
    [33, 4],
    [49, 4],
  ],
  ...[
    [65, 5],
    [97, 5],
    [129, 6],
    [193, 6],
    [257, 7],
    [385, 7],
    [513, 8],
    [769, 8],
    [1025, 9],
    [1537, 9],
  ],
  ...[
    [2049, 10],
    [3073, 10],
    [4097, 11],
    [6145, 11],
    [8193, 12],
    [12_289, 12],
    [16_385, 13],
    [24_577, 13],
  ],
] as const;

/** In which order the lengths of codes for lengths are written. @see RFC 1951 3.2.7 */
export const lengthCodeOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
