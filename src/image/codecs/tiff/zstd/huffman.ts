import { malformed } from '../../../image-error.ts';
import { BackwardBits } from './bits.ts';
import { initialState, nextState, readFseTable } from './fse-table.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

const maxCodeBits = 11;
const maxWeights = 255;

/** By the next `bits` bits, a symbol in the low byte and the bits of its code above. */
export interface HuffmanDecoder {
  readonly bits: number;
  readonly entries: Uint16Array;
}

/**
 * Reads the description of a Huffman tree.
 *
 * @returns the tree, and the bytes that the description takes.
 * @throws {CodedError} `image_malformed`.
 * @see RFC 8878 section 4.2.1 (Huffman tree description)
 */
export function readHuffman(bytes: Uint8Array): {
  readonly huffman: HuffmanDecoder;
  readonly byteCount: number;
} {
  const header = bytes[0] ?? 0;
  const weightBytes = header < 128 ? header : (header - 126) >> 1;
  if (bytes.length < 1 + weightBytes) throw wrong();
  const coded = bytes.subarray(1, 1 + weightBytes);
  const weights = header < 128 ? readCodedWeights(coded) : readWeights(coded, header - 127);
  return { huffman: buildHuffman(weights), byteCount: 1 + weightBytes };
}

/** Decodes one stream; it has to end with its last bit. */
export function decodeHuffman({ bits, entries }: HuffmanDecoder, coded: Uint8Array, out: Uint8Array): void {
  const input = new BackwardBits(coded);
  for (let i = 0; i < out.length; i++) {
    const entry = entries[input.peek(bits)]!;
    out[i] = entry & 0xff;
    input.left -= entry >> 8;
  }
  if (input.left !== 0) throw wrong();
}

function wrong(): Error {
  return malformed('tiff', 'Huffman codes of Zstandard are wrong');
}

function readWeights(bytes: Uint8Array, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (i % 2 === 0 ? bytes[i >> 1]! >> 4 : bytes[i >> 1]! & 15));
}

/** Two states take turns, until no bit is left for one: the other's symbol is the last. */
function readCodedWeights(bytes: Uint8Array): number[] {
  const { table, byteCount } = readFseTable(bytes, 6, 255);
  const input = new BackwardBits(bytes.subarray(byteCount));
  const weights: number[] = [];
  let even = initialState(table, input);
  let odd = initialState(table, input);
  if (input.left < 0) throw wrong();
  while (weights.length < maxWeights) {
    weights.push(table.symbols[even]!);
    even = nextState(table, even, input);
    if (input.left < 0) {
      weights.push(table.symbols[odd]!);
      return weights;
    }
    [even, odd] = [odd, even];
  }
  throw wrong();
}

/** The last symbol's weight is what is missing to a power of two. */
function buildHuffman(weights: number[]): HuffmanDecoder {
  const sum = weights.reduce((total, weight) => total + (weight === 0 ? 0 : 2 ** (weight - 1)), 0);
  if (sum === 0 || sum >= 1 << maxCodeBits) throw wrong();
  const bits = 32 - Math.clz32(sum);
  const missing = (1 << bits) - sum;
  if ((missing & (missing - 1)) !== 0) throw wrong();
  weights.push(32 - Math.clz32(missing));
  const entries = new Uint16Array(1 << bits);
  let at = 0;
  for (let weight = 1; weight <= bits; weight++) {
    for (const [symbol, other] of weights.entries()) {
      if (other !== weight) continue;
      const end = at + (1 << (weight - 1));
      entries.fill(((bits + 1 - weight) << 8) | symbol, at, end);
      at = end;
    }
  }
  if (at !== entries.length) throw wrong();
  return { bits, entries };
}
