import { endOfImage, frame, segment, startOfImage } from '../../../hostile/jpeg-files.ts';
import { concat } from '../../../hostile/png-files.ts';

/** An integer from 0 up to `below`. */
type Random = (below: number) => number;

/** What most blocks make do with; where it is too little, the data ends early. */
const bytesPerBlock = 60;

/**
 * A JPEG that no encoder writes: random Huffman tables for each scan, with codes of up to 16 bits, and random data for
 * them. All codes of a table are taken, so any data is legal, but for coefficients outside a scan. The scans of a
 * progressive file come in any order, with refinements of what was never sent.
 */
export function randomJpeg(seed: number, progressive: boolean): Uint8Array {
  const random = createRandom(seed);
  const pick = <T>(values: readonly T[]) => values[random(values.length)]!;
  const sampling = pick([[0x11], [0x22], [0x22, 0x11, 0x11], [0x21, 0x11, 0x21], [0x11, 0x11, 0x11, 0x11]]);
  const width = 1 + random(70);
  const height = 1 + random(50);
  const parts = [startOfImage, quantization(random)];
  parts.push(frame({ code: progressive ? 0xc2 : 0xc0, width, height, sampling }));

  /** Of components `first` up to `end`. */
  const addScan = (
    first: number,
    end: number,
    [from, to, before, shift]: readonly [number, number, number, number],
  ) => {
    const interval = pick([0, 0, 1, 3, 20]);
    parts.push(segment(0xdd, [interval >> 8, interval & 255]));
    const components: number[] = [];
    for (let i = first; i < end; i++) {
      parts.push(
        huffmanTable(
          random,
          i,
          Array.from({ length: 12 }, (_, size) => size),
        ),
      );
      parts.push(huffmanTable(random, 0x10 | i, acSymbols(random, progressive, before > 0)));
      components.push(i + 1, (i << 4) | i);
    }
    parts.push(segment(0xda, [end - first, ...components, from, to, (before << 4) | shift]));
    const { mcus, blocksPerMcu } = extent(width, height, sampling, first, end);
    const mcusPerSegment = interval === 0 ? mcus : interval;
    for (let mcu = 0, index = 0; mcu < mcus; mcu += mcusPerSegment, index++) {
      if (mcu > 0) parts.push(Uint8Array.of(0xff, 0xd0 + ((index - 1) % 8)));
      const blocks = Math.min(mcusPerSegment, mcus - mcu) * blocksPerMcu;
      parts.push(entropyCoded(random, blocks * bytesPerBlock));
    }
  };

  const { length: count } = sampling;
  if (!progressive) addScan(0, count, [0, 63, 0, 0]);
  else {
    addScan(0, count, [0, 0, 0, 2]);
    for (let scans = 1 + random(8); scans > 0; scans--) {
      const shift = random(4);
      const before = random(3) > 0 ? shift + 1 : 0;
      const first = random(count);
      const from = 1 + random(random(63) + 1);
      if (random(4) === 0) addScan(0, count, [0, 0, before, shift]);
      else addScan(first, first + 1, [from, from + random(64 - from), before, shift]);
    }
  }
  return concat([...parts, endOfImage]);
}

/** @see ITU-T T.81 A.2 */
function extent(width: number, height: number, sampling: readonly number[], first: number, end: number) {
  const maxH = Math.max(...sampling.map((factors) => factors >> 4));
  const maxV = Math.max(...sampling.map((factors) => factors & 15));
  const h = sampling[first]! >> 4;
  const v = sampling[first]! & 15;
  if (end - first === 1) {
    const across = Math.ceil(Math.ceil((width * h) / maxH) / 8);
    const down = Math.ceil(Math.ceil((height * v) / maxV) / 8);
    return { mcus: across * down, blocksPerMcu: 1 };
  }
  const blocksPerMcu = sampling.reduce((sum, factors) => sum + (factors >> 4) * (factors & 15), 0);
  return { mcus: Math.ceil(width / (8 * maxH)) * Math.ceil(height / (8 * maxV)), blocksPerMcu };
}

/** Divisors of 8 or 16 bits, the least and the greatest among them. */
function quantization(random: Random): Uint8Array {
  const isWide = random(2) === 0;
  const divisors = Array.from({ length: 64 }, () => {
    const extremes = [0, 1, isWide ? 0xffff : 0xff];
    return extremes[random(12)] ?? 1 + random(isWide ? 3000 : 40);
  });
  return segment(0xdb, isWide ? [0x10, ...divisors.flatMap((q) => [q >> 8, q & 255])] : [0, ...divisors]);
}

/** Either runs and, with the shortest code, the end of the block; or no runs, so that blocks may be full. */
function acSymbols(random: Random, progressive: boolean, isRefinement: boolean): number[] {
  const maxRun = random(2) === 0 ? 15 : 0;
  const symbols = new Set([0, ...(maxRun > 0 ? [0xf0] : [])]);
  for (let left = 1 + random(60); left > 0; left--) {
    symbols.add((random(maxRun + 1) << 4) | (isRefinement ? 1 : 1 + random(progressive ? 10 : 15)));
  }
  if (progressive) for (let run = 1 + random(14); run > 0; run--) symbols.add(run << 4);
  return maxRun > 0 ? [...symbols] : [...symbols].toSorted(() => random(3) - 1);
}

/** @param symbols at least two, those with the shortest codes first. */
function huffmanTable(random: Random, classAndIndex: number, symbols: readonly number[]): Uint8Array {
  // A tree whose leaves are split, the deepest at times, until there are enough.
  const lengths = [0];
  while (lengths.length < symbols.length) {
    lengths.sort((a, b) => a - b);
    const open = lengths.findLastIndex((length) => length < 16);
    const leaf = random(2) === 0 ? open : random(open + 1);
    lengths[leaf]!++;
    lengths.push(lengths[leaf]!);
  }
  const counts = Array.from({ length: 16 }, (_, i) => lengths.filter((length) => length === i + 1).length);
  return segment(0xc4, [classAndIndex, ...counts, ...symbols]);
}

function entropyCoded(random: Random, length: number): Uint8Array {
  const bytes: number[] = [];
  for (let i = 0; i < length; i++) {
    const byte = random(256);
    bytes.push(byte);
    if (byte === 0xff) bytes.push(0);
  }
  return Uint8Array.from(bytes);
}

/** The same numbers for the same seed: a linear congruential generator, of which the high bits are random. */
function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
