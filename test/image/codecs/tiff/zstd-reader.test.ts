import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodedError } from '../../../../src/errors.ts';
import { ZstdReader } from '../../../../src/image/codecs/tiff/zstd/zstd-reader.ts';

const maxHistory = 8 << 20;

function compress(content: Uint8Array, level: number): Uint8Array {
  return zstdCompressSync(content, { params: { [constants.ZSTD_c_compressionLevel]: level } });
}

/** In pieces, as rows are read. */
function readAll(stream: Uint8Array, length: number, pieceBytes: number): Uint8Array {
  const reader = new ZstdReader(stream, length, maxHistory);
  const content = new Uint8Array(length);
  for (let at = 0; at < length; at += pieceBytes) reader.read(content.subarray(at, at + pieceBytes));
  return content;
}

/** Noise of a few values, in which earlier parts come back. */
function makeContent(seed: number, length: number, values: number, repeats: number): Uint8Array {
  let state = seed >>> 0;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 8;
  };
  const content = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const run = Math.min(length - at, 1 + (next() % 300));
    const isCopy = at > 0 && next() % 10 < repeats;
    const from = isCopy ? next() % at : 0;
    for (let i = 0; i < run; i++) content[at + i] = isCopy ? content[from + i]! : next() % values;
    at += run;
  }
  return content;
}

describe('ZstdReader gives what zstd compressed', () => {
  it.each([1, 3, 7, 12, 19])('level %i', (level) => {
    for (const values of [1, 2, 7, 256]) {
      for (const repeats of [0, 5, 9]) {
        for (const length of [1, 100, 3000, 140_000, 700_000]) {
          const content = makeContent(level + values + length, length, values, repeats);
          const read = readAll(compress(content, level), length, 977);
          expect(Buffer.compare(read, content)).toBe(0);
        }
      }
    }
  });

  it('whose content is longer than what is held of it', () => {
    const content = makeContent(5, 12 << 20, 200, 6);
    // With a size that is not known the window is that of the level: 2 MiB.
    const frame = compress(content, 3);
    const params = { [constants.ZSTD_c_windowLog]: 17, [constants.ZSTD_c_compressionLevel]: 3 };
    const small = zstdCompressSync(content, { params });
    for (const stream of [frame, small]) {
      expect(Buffer.compare(readAll(stream, content.length, 65_000), content)).toBe(0);
    }
  });
});

describe('ZstdReader and a stream that was changed', () => {
  const change = fc.record({
    at: fc.integer({ min: 0, max: 999_999 }),
    value: fc.integer({ min: 0, max: 255 }),
  });
  const streams = [
    makeContent(1, 5000, 256, 5),
    makeContent(2, 9000, 3, 9),
    makeContent(3, 200_000, 40, 8),
    makeContent(4, 300, 2, 0),
  ].flatMap((content) => [1, 12].map((level) => ({ content, stream: compress(content, level) })));

  it('gives what zstd gives, or an error with a code', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...streams),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        (source, changes) => {
          const stream = Uint8Array.from(source.stream);
          for (const { at, value } of changes) stream[Math.floor((at / 1_000_000) * stream.length)] = value;
          const { length } = source.content;
          const outcome = attempt(() => readAll(stream, length, 4096));
          if (outcome instanceof Error) expect(outcome).toBeInstanceOf(CodedError);
          const expected = attempt(() => zstdDecompressSync(stream, { maxOutputLength: 4 << 20 }));
          // A size that the header claims, and what is behind the content, is not looked at.
          if (outcome instanceof Error || expected instanceof Error) return;
          expect(Buffer.compare(outcome, expected.subarray(0, length))).toBe(0);
        },
      ),
      { numRuns: Number(process.env.RESNET_EDGE_FUZZ_RUNS ?? 3000) },
    );
  });
});

function attempt(run: () => Uint8Array): Uint8Array | Error {
  try {
    return run();
  } catch (error) {
    return error as Error;
  }
}
