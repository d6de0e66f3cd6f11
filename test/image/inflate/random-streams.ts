import { constants, deflateRawSync } from 'node:zlib';
import {
  type Code,
  DeflateWriter,
  distanceSymbols,
  lengthCodeOrder,
  lengthSymbols,
  toCodes,
} from './deflate-writer.ts';

/** Numbers that a seed decides. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** An integer of 0 to `below` - 1. @see mulberry32, T. Ettinger */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }
}

/** A raw Deflate stream: by zlib from content of some kind, or written symbol by symbol. */
export function randomDeflate(random: Random): Uint8Array {
  return random.once(2) ? compressed(random) : written(random);
}

function compressed(random: Random): Uint8Array {
  const { Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED } = constants;
  const strategies = [Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED];
  return deflateRawSync(content(random), {
    level: random.below(10),
    memLevel: 1 + random.below(9),
    strategy: strategies[random.below(strategies.length)],
  });
}

function content(random: Random): Uint8Array {
  // Now and then more than is inflated at a time.
  const length = random.once(100) ? 150_000 : random.below(random.once(4) ? 5000 : 300);
  const values = 1 + random.below(random.once(2) ? 4 : 256);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const repeats = i > 0 && !random.once(8);
    if (!repeats) bytes[i] = random.below(values);
    else bytes[i] = bytes[i - 1 - random.below(Math.min(i, random.once(50) ? 40_000 : 20))]!;
  }
  return bytes;
}

function written(random: Random): Uint8Array {
  const writer = new DeflateWriter();
  const blocks = 1 + random.below(4);
  for (let block = 1; block <= blocks; block++) {
    writer.number(block === blocks ? 1 : 0, 1);
    const type = random.below(random.once(40) ? 4 : 3);
    writer.number(type, 2);
    if (type === 0) writeStored(writer, random);
    else if (type === 1) writeSymbols(writer, random, toCodes(fixedLengths), toCodes(Array(32).fill(5)));
    else writeDynamic(writer, random);
  }
  return writer.toBytes();
}

const fixedLengths = Array.from({ length: 288 }, (_, symbol) => {
  if (symbol < 144) return 8;
  if (symbol < 256) return 9;
  return symbol < 280 ? 7 : 8;
});

function writeStored(writer: DeflateWriter, random: Random): void {
  const length = random.below(40);
  writer.align();
  writer.number(length, 16);
  writer.number(random.once(20) ? length : ~length & 0xffff, 16);
  for (let i = 0; i < length; i++) writer.number(random.below(256), 8);
}

function writeDynamic(writer: DeflateWriter, random: Random): void {
  const literals = 257 + random.below(30);
  const distances = 1 + random.below(30);
  const literalLengths = randomLengths(random, literals, 2 + random.below(literals - 2), 15, [256]);
  const distanceLengths = randomLengths(random, distances, random.below(distances + 1), 15, []);
  // A code that leaves something free, or is none.
  if (random.once(20)) literalLengths[random.below(literals)]! ^= 1 + random.below(15);
  const lengths = [...literalLengths, ...distanceLengths];
  const codeLengths = randomLengths(random, 19, 19, 7, []);
  if (random.once(40)) codeLengths[random.below(19)]! ^= 1;
  writer.number(literals - 257, 5);
  writer.number(distances - 1, 5);
  writer.number(15, 4);
  for (const symbol of lengthCodeOrder) writer.number(codeLengths[symbol]!, 3);
  writeLengths(writer, random, lengths, toCodes(codeLengths));
  writeSymbols(writer, random, toCodes(literalLengths), toCodes(distanceLengths));
}

/** Lengths of a complete code for so many of the symbols, the wanted ones among them; of one it leaves half free. */
function randomLengths(
  random: Random,
  symbols: number,
  used: number,
  longest: number,
  wanted: readonly number[],
): number[] {
  const lengths = new Array<number>(symbols).fill(0);
  const leaves = used === 0 ? [] : used === 1 ? [1] : [1, 1];
  while (leaves.length < used) {
    // Deep trees now and then: always the same branch is split.
    const at = random.once(3) ? leaves.length - 1 : random.below(leaves.length);
    if (leaves[at] === longest) {
      if (leaves.every((depth) => depth === longest)) break;
      continue;
    }
    leaves[at]!++;
    leaves.push(leaves[at]!);
  }
  const order = Array.from({ length: symbols }, (_, symbol) => symbol);
  for (let i = order.length - 1; i > 0; i--) {
    const other = random.below(i + 1);
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
  const first = [...wanted, ...order.filter((symbol) => !wanted.includes(symbol))];
  for (const [i, depth] of leaves.entries()) lengths[first[i]!] = depth;
  return lengths;
}

function writeLengths(
  writer: DeflateWriter,
  random: Random,
  lengths: readonly number[],
  codes: readonly Code[],
): void {
  for (let i = 0; i < lengths.length; ) {
    let run = 1;
    while (i + run < lengths.length && lengths[i + run] === lengths[i]) run++;
    const isZero = lengths[i] === 0;
    if (isZero && run >= 11 && !random.once(4)) {
      const times = Math.min(run, 138);
      writer.code(codes[18]!);
      writer.number(times - 11, 7);
      i += times;
    } else if (isZero && run >= 3 && !random.once(4)) {
      const times = Math.min(run, 10);
      writer.code(codes[17]!);
      writer.number(times - 3, 3);
      i += times;
    } else if (i > 0 && lengths[i - 1] === lengths[i] && run >= 3 && !random.once(4)) {
      const times = Math.min(run, 6);
      writer.code(codes[16]!);
      writer.number(times - 3, 2);
      i += times;
    } else {
      writer.code(codes[lengths[i]!]!);
      i++;
    }
  }
}

function writeSymbols(
  writer: DeflateWriter,
  random: Random,
  literalCodes: readonly Code[],
  distanceCodes: readonly Code[],
): void {
  const usable = (codes: readonly Code[]) =>
    codes.flatMap(({ length }, symbol) => (length > 0 && symbol !== 256 ? [symbol] : []));
  const literals = usable(literalCodes);
  const distances = usable(distanceCodes);
  // At first literals alone, so that there is something to refer to.
  const onlyLiterals = literals.filter((symbol) => symbol < 256);
  const count = random.below(random.once(10) ? 3000 : 60);
  for (let i = 0; i < count && literals.length > 0; i++) {
    const from = i < 20 && onlyLiterals.length > 0 ? onlyLiterals : literals;
    const symbol = from[random.below(from.length)]!;
    writer.code(literalCodes[symbol]!);
    if (symbol < 256 || distances.length === 0) continue;
    writer.number(random.below(1 << 16), lengthSymbols[symbol - 257]?.[1] ?? 0);
    // Near ones, which exist, rather than far ones.
    const near = distances.filter((distance) => distance < 8);
    const choice = near.length > 0 && !random.once(30) ? near : distances;
    const distance = choice[random.below(choice.length)]!;
    writer.code(distanceCodes[distance]!);
    writer.number(random.once(3) ? 0 : random.below(1 << 16), distanceSymbols[distance]?.[1] ?? 0);
  }
  if (!random.once(30)) writer.code(literalCodes[256]!);
}

/** A few bits turned, bytes replaced, or the end cut off. */
export function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  const changed = bytes.slice();
  const changes = random.below(4);
  for (let i = 0; i < changes && changed.length > 0; i++) {
    // Headers decide most.
    const at = random.below(random.once(2) ? changed.length : Math.min(changed.length, 80));
    changed[at] = random.once(3) ? random.below(256) : changed[at]! ^ (1 << random.below(8));
  }
  return random.once(4) ? changed.subarray(0, random.below(changed.length + 1)) : changed;
}
