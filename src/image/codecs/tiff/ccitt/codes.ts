/**
 * The codes of a fax. Run lengths are coded as any number of make-up codes and a terminating code.
 *
 * @see ITU-T T.4 tables 2, 3a and 3b; ITU-T T.6 table 1
 */

/** Of 0, 1, 2 … 63 white pixels. */
const whiteTerminating =
  '00110101 000111 0111 1000 1011 1100 1110 1111 10011 10100 00111 01000 001000 000011 110100 110101 ' +
  '101010 101011 0100111 0001100 0001000 0010111 0000011 0000100 0101000 0101011 0010011 0100100 ' +
  '0011000 00000010 00000011 00011010 00011011 00010010 00010011 00010100 00010101 00010110 00010111 ' +
  '00101000 00101001 00101010 00101011 00101100 00101101 00000100 00000101 00001010 00001011 01010010 ' +
  '01010011 01010100 01010101 00100100 00100101 01011000 01011001 01011010 01011011 01001010 01001011 ' +
  '00110010 00110011 00110100';
/** Of 0, 1, 2 … 63 black pixels. */
const blackTerminating =
  '0000110111 010 11 10 011 0011 0010 00011 000101 000100 0000100 0000101 0000111 00000100 00000111 ' +
  '000011000 0000010111 0000011000 0000001000 00001100111 00001101000 00001101100 00000110111 ' +
  '00000101000 00000010111 00000011000 000011001010 000011001011 000011001100 000011001101 000001101000 ' +
  '000001101001 000001101010 000001101011 000011010010 000011010011 000011010100 000011010101 ' +
  '000011010110 000011010111 000001101100 000001101101 000011011010 000011011011 000001010100 ' +
  '000001010101 000001010110 000001010111 000001100100 000001100101 000001010010 000001010011 ' +
  '000000100100 000000110111 000000111000 000000100111 000000101000 000001011000 000001011001 ' +
  '000000101011 000000101100 000001011010 000001100110 000001100111';
/** Of 64, 128, 192 … 1728 white pixels. */
const whiteMakeUp =
  '11011 10010 010111 0110111 00110110 00110111 01100100 01100101 01101000 01100111 011001100 011001101 ' +
  '011010010 011010011 011010100 011010101 011010110 011010111 011011000 011011001 011011010 011011011 ' +
  '010011000 010011001 010011010 011000 010011011';
/** Of 64, 128, 192 … 1728 black pixels. */
const blackMakeUp =
  '0000001111 000011001000 000011001001 000001011011 000000110011 000000110100 000000110101 ' +
  '0000001101100 0000001101101 0000001001010 0000001001011 0000001001100 0000001001101 0000001110010 ' +
  '0000001110011 0000001110100 0000001110101 0000001110110 0000001110111 0000001010010 0000001010011 ' +
  '0000001010100 0000001010101 0000001011010 0000001011011 0000001100100 0000001100101';
/** Of 1792, 1856, 1920 … 2560 pixels of either colour. */
const longMakeUp =
  '00000001000 00000001100 00000001101 000000010010 000000010011 000000010100 000000010101 000000010110 ' +
  '000000010111 000000011100 000000011101 000000011110 000000011111';

/** What a code says. */
export const codeKind = {
  /** No code begins with these bits. */
  none: 0,
  terminating: 1,
  makeUp: 2,
  /** 11 zeros, which no run begins with: what an end of line begins with. */
  endOfLine: 3,
  pass: 4,
  horizontal: 5,
  /** The change is below the one above it, or `value` to its right or left. */
  vertical: 6,
  verticalLeft: 7,
  extension: 8,
} as const;

/** Codes by the bits that come next: `kind << 20 | bits << 12 | value`, where `value` is a run or a distance. */
export interface CodeTable {
  /** Bits that are looked at. */
  readonly bits: number;
  readonly entries: Uint32Array;
}

export function kindOf(entry: number): number {
  return entry >>> 20;
}

export function bitsOf(entry: number): number {
  return (entry >>> 12) & 0xff;
}

export function payloadOf(entry: number): number {
  return entry & 0xfff;
}

type Code = readonly [code: string, kind: number, value: number];

const endOfLine: Code = ['0'.repeat(11), codeKind.endOfLine, 0];

function toTable(bits: number, codes: readonly Code[]): CodeTable {
  const entries = new Uint32Array(1 << bits);
  for (const [code, kind, value] of codes) {
    const free = bits - code.length;
    const first = Number.parseInt(code, 2) << free;
    entries.fill((kind << 20) | (code.length << 12) | value, first, first + (1 << free));
  }
  return { bits, entries };
}

function toRuns(codes: string, kind: number, first: number, step: number): Code[] {
  return codes.split(' ').map((code, i): Code => [code, kind, first + i * step]);
}

export const whiteCodes = toTable(12, [
  ...toRuns(whiteTerminating, codeKind.terminating, 0, 1),
  ...toRuns(whiteMakeUp, codeKind.makeUp, 64, 64),
  ...toRuns(longMakeUp, codeKind.makeUp, 1792, 64),
  endOfLine,
]);
export const blackCodes = toTable(13, [
  ...toRuns(blackTerminating, codeKind.terminating, 0, 1),
  ...toRuns(blackMakeUp, codeKind.makeUp, 64, 64),
  ...toRuns(longMakeUp, codeKind.makeUp, 1792, 64),
  endOfLine,
]);
/** In two dimensions. @see ITU-T T.4 table 4 */
export const modeCodes = toTable(7, [
  ['0001', codeKind.pass, 0],
  ['001', codeKind.horizontal, 0],
  ['1', codeKind.vertical, 0],
  ['011', codeKind.vertical, 1],
  ['000011', codeKind.vertical, 2],
  ['0000011', codeKind.vertical, 3],
  ['010', codeKind.verticalLeft, 1],
  ['000010', codeKind.verticalLeft, 2],
  ['0000010', codeKind.verticalLeft, 3],
  ['0000001', codeKind.extension, 0],
  ['0000000', codeKind.endOfLine, 0],
]);
