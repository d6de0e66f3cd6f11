import { malformed } from '../../../image-error.ts';
import { BackwardBits } from './bits.ts';
import {
  buildFseTable,
  constantTable,
  type FseTable,
  initialState,
  nextState,
  readFseTable,
} from './fse-table.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** How a code of lengths is meant: baselines, and bits that are added to them. */
interface LengthCodes {
  readonly baselines: readonly number[];
  readonly extraBits: readonly number[];
}

function toLengthCodes(first: number, extraBits: readonly number[]): LengthCodes {
  const baselines: number[] = [];
  let baseline = first;
  for (const bits of extraBits) {
    baselines.push(baseline);
    baseline += 2 ** bits;
  }
  return { baselines, extraBits };
}

/** @see RFC 8878 section 3.1.1.3.2.1.1 (sequence codes) */
const literalLengths = toLengthCodes(0, [
  ...new Array<number>(16).fill(0),
  ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
]);
const matchLengths = toLengthCodes(3, [
  ...new Array<number>(32).fill(0),
  ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
]);

/** @see RFC 8878 section 3.1.1.3.2.2 (default distributions) */
const defaultLiteralLengths = buildFseTable(
  [
    4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1,
    -1, -1,
  ],
  6,
);
const defaultOffsets = buildFseTable(
  [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1],
  5,
);
const defaultMatchLengths = buildFseTable(
  [1, 4, 3, 2, 2, 2, 2, 2, 2, ...new Array<number>(37).fill(1), -1, -1, -1, -1, -1, -1, -1],
  6,
);

const kinds = [
  { byDefault: defaultLiteralLengths, maxAccuracyLog: 9, maxSymbol: 35 },
  { byDefault: defaultOffsets, maxAccuracyLog: 8, maxSymbol: 31 },
  { byDefault: defaultMatchLengths, maxAccuracyLog: 9, maxSymbol: 52 },
] as const;
const tableMode = { predefined: 0, constant: 1, described: 2, repeated: 3 } as const;

/** Copies literals, then what stands `offset` bytes before. */
export type ApplySequence = (literalLength: number, matchLength: number, offset: number) => void;

/** The sequences of blocks. Each may use the tables of the one before, and its last three offsets. */
export class Sequences {
  #tables: (FseTable | undefined)[] = [undefined, undefined, undefined];
  #offsets: [number, number, number] = [1, 4, 8];

  /** Begins another frame. */
  restart(): void {
    this.#tables = [undefined, undefined, undefined];
    this.#offsets = [1, 4, 8];
  }

  /**
   * Decodes the section, which ends with its block.
   *
   * @throws {CodedError} `image_malformed`, and what `apply` throws.
   * @see RFC 8878 section 3.1.1.3.2 (sequences section)
   */
  read(section: Uint8Array, apply: ApplySequence): void {
    const first = section[0] ?? 0;
    if (section.length === 0) throw wrong();
    if (first === 0) return;
    const headerBytes = first < 128 ? 1 : first < 255 ? 2 : 3;
    let count = first;
    if (headerBytes === 2) count = ((first - 128) << 8) + section[1]!;
    else if (headerBytes === 3) count = section[1]! + (section[2]! << 8) + 0x7f00;
    if (section.length <= headerBytes) throw wrong();
    const modes = section[headerBytes]!;
    const start = this.#readTables(section, headerBytes + 1, modes);
    this.#decode(new BackwardBits(section.subarray(start)), count, apply);
  }

  /** @returns where the bits begin. */
  #readTables(section: Uint8Array, start: number, modes: number): number {
    let at = start;
    for (const [i, { byDefault, maxAccuracyLog, maxSymbol }] of kinds.entries()) {
      const mode = (modes >> (6 - i * 2)) & 3;
      if (mode === tableMode.predefined) this.#tables[i] = byDefault;
      else if (mode === tableMode.constant) {
        const symbol = section[at++] ?? 255;
        if (symbol > maxSymbol) throw wrong();
        this.#tables[i] = constantTable(symbol);
      } else if (mode === tableMode.described) {
        const { table, byteCount } = readFseTable(section.subarray(at), maxAccuracyLog, maxSymbol);
        this.#tables[i] = table;
        at += byteCount;
      }
    }
    return at;
  }

  #decode(bits: BackwardBits, count: number, apply: ApplySequence): void {
    const [literals, offsets, matches] = this.#tables;
    if (literals === undefined || offsets === undefined || matches === undefined) throw wrong();
    let literalState = initialState(literals, bits);
    let offsetState = initialState(offsets, bits);
    let matchState = initialState(matches, bits);
    for (let left = count; left > 0; left--) {
      const offsetCode = offsets.symbols[offsetState]!;
      // No window that is taken reaches so far.
      if (offsetCode > 25) throw wrong();
      const offsetValue = (1 << offsetCode) + bits.read(offsetCode);
      const matchLength = readLength(matchLengths, matches.symbols[matchState]!, bits);
      const literalLength = readLength(literalLengths, literals.symbols[literalState]!, bits);
      if (left > 1) {
        literalState = nextState(literals, literalState, bits);
        matchState = nextState(matches, matchState, bits);
        offsetState = nextState(offsets, offsetState, bits);
      }
      if (bits.left < 0) throw wrong();
      apply(literalLength, matchLength, this.#toOffset(offsetValue, literalLength));
    }
    if (bits.left !== 0) throw wrong();
  }

  /** @see RFC 8878 section 3.1.1.5 (repeat offsets) */
  #toOffset(value: number, literalLength: number): number {
    const [first, second, third] = this.#offsets;
    if (value > 3) {
      this.#offsets = [value - 3, first, second];
      return value - 3;
    }
    const index = value - 1 + (literalLength === 0 ? 1 : 0);
    if (index === 0) return first;
    if (index === 1) {
      this.#offsets = [second, first, third];
      return second;
    }
    const offset = index === 2 ? third : first - 1;
    this.#offsets = [offset, first, second];
    return offset;
  }
}

function readLength({ baselines, extraBits }: LengthCodes, code: number, bits: BackwardBits): number {
  return baselines[code]! + bits.read(extraBits[code]!);
}

function wrong(): Error {
  return malformed('tiff', 'sequences of Zstandard are wrong');
}
