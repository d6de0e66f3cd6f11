import { inflateRawSync } from 'node:zlib';
import { BytesInput } from '../../../src/image/inflate/inflate-input.ts';
import { InflateStream } from '../../../src/image/inflate/inflate-stream.ts';
import type { PixelArena } from '../../../src/image/pixel-arena.ts';
import { DeflateWriter, lengthCodeOrder, toCodes } from './deflate-writer.ts';

/** Codes for lengths: 13 of 4 bits and 6 of 5, which is complete. */
export const usualCodes = Array.from({ length: 19 }, (_, symbol): number => (symbol < 13 ? 4 : 5));

/** A block of codes of its own. */
export interface Block {
  readonly literals: number;
  readonly distances: number;
  /** Symbols of the code for lengths, a repetition with how often it repeats. */
  readonly lengths: readonly (number | readonly [symbol: number, times: number])[];
  readonly codes?: readonly number[];
  /** How many codes for lengths are written. */
  readonly declaredCodes?: number;
  /** Writes what the block holds; without it the end of the block alone, by its code of one 0. */
  readonly content?: (writer: DeflateWriter) => void;
}

/** As the last block of a stream; behind it stands what is not to be looked at. */
export function toStream(block: Block): Uint8Array {
  const writer = new DeflateWriter();
  writeBlock(writer, block, true);
  for (let i = 0; i < 100; i++) writer.number(0xff, 8);
  return writer.toBytes();
}

export function writeBlock(writer: DeflateWriter, block: Block, isLast: boolean): void {
  const { literals, distances, lengths, codes = usualCodes, declaredCodes = 19, content } = block;
  writer.number(0b100 | Number(isLast), 3);
  writer.number(literals - 257, 5);
  writer.number(distances - 1, 5);
  writer.number(declaredCodes - 4, 4);
  for (const symbol of lengthCodeOrder.slice(0, declaredCodes)) writer.number(codes[symbol]!, 3);
  const written = toCodes(codes);
  for (const each of lengths) {
    const [symbol, times] = typeof each === 'number' ? [each, 0] : each;
    writer.code(written[symbol]!);
    if (symbol === 16) writer.number(times - 3, 2);
    if (symbol === 17) writer.number(times - 3, 3);
    if (symbol === 18) writer.number(times - 11, 7);
  }
  if (content) content(writer);
  else writer.number(0, 1);
}

/** The content in hexadecimal digits, or zlib's error. */
export function inflateByZlib(raw: Uint8Array): string {
  try {
    return inflateRawSync(raw).toString('hex');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code!;
  }
}

/** The same by our own, through WebAssembly with an arena. */
export function inflate(raw: Uint8Array, arena?: PixelArena): string {
  const bytes = Uint8Array.of(0x78, 0x9c, ...raw);
  const stream = new InflateStream(new BytesInput(bytes), 100_000, 0, (end) => new Error(end), arena);
  const content = stream.readAll();
  return stream.end === 'invalid' ? 'Z_DATA_ERROR' : Buffer.from(content).toString('hex');
}
