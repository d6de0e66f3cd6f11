import { constants, inflateRawSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { adler32 } from '../../../src/image/inflate/adler32.ts';
import { BytesInput } from '../../../src/image/inflate/inflate-input.ts';
import { InflateStream } from '../../../src/image/inflate/inflate-stream.ts';
import { fuzz } from '../../fuzz.ts';
import { createRoutines } from '../fixtures.ts';
import { mutate, Random, randomDeflate } from './random-streams.ts';

/** RESNET_EDGE_FUZZ_RUNS=1000000 for a longer search; RESNET_EDGE_FUZZ_SEED repeats one. */
const search = fuzz(5000);

const maxBytes = 300_000;

/** A zlib stream around a raw one, its checksum right if zlib can inflate it. */
function toZlib(raw: Uint8Array, random: Random): Uint8Array {
  let checksum = random.below(2 ** 32);
  try {
    const content = inflateRawSync(raw, { maxOutputLength: maxBytes });
    checksum = adler32(content, 0, content.length);
  } catch {
    // Any will do.
  }
  const bytes = new Uint8Array(2 + raw.length + 4);
  bytes.set([0x78, 0x9c]);
  bytes.set(raw, 2);
  new DataView(bytes.buffer).setUint32(2 + raw.length, checksum);
  return bytes;
}

interface Outcome {
  readonly end: 'intact' | 'cut' | 'refused';
  readonly content: Uint8Array;
}

/** Of what is refused no content is compared: zlib gives none. */
const refused: Outcome = { end: 'refused', content: new Uint8Array(0) };

function inflateByZlib(bytes: Uint8Array): Outcome {
  try {
    return { end: 'intact', content: inflateSync(bytes, { maxOutputLength: maxBytes }) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'Z_BUF_ERROR') return refused;
    const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: maxBytes };
    return { end: 'cut', content: inflateSync(bytes, options) };
  }
}

const noMore = (end: string) => new RangeError(end);
const nothing = new BytesInput(new Uint8Array(0));
const plain = new InflateStream(nothing, 0, 0, noMore);
const arena = createRoutines().borrow();
const wasm = new InflateStream(nothing, 0, 0, noMore, arena);

function inflateBy(stream: InflateStream, bytes: Uint8Array): Outcome {
  stream.restart(new BytesInput(bytes), maxBytes);
  const content = stream.readAll();
  if (stream.end === 'invalid') return refused;
  if (stream.finish() === 'intact') return { end: 'intact', content };
  // A checksum that is there is wrong; one that is cut off was not compared.
  return stream.end === 'cut' ? { end: 'cut', content } : refused;
}

function expectSame(outcome: Outcome, expected: Outcome): void {
  // What is cut and breaks the rules as well may be refused for either.
  if (outcome.end === 'refused' && expected.end === 'cut') return;
  if (outcome.end !== expected.end) expect(outcome.end).toBe(expected.end);
  if (Buffer.compare(outcome.content, expected.content) !== 0) {
    expect(outcome.content).toEqual(new Uint8Array(expected.content));
  }
}

it(`what zlib inflates is inflated, and what it refuses is refused, in ${search.numRuns} random and mutated streams`, () => {
  const outcomes = { intact: 0, cut: 0, refused: 0 };
  fc.assert(
    fc.property(fc.integer(), (streamSeed) => {
      const random = new Random(streamSeed);
      const whole = toZlib(randomDeflate(random), random);
      const bytes = random.once(3) ? whole : mutate(whole, random);
      const expected = inflateByZlib(bytes);
      outcomes[expected.end]++;
      expectSame(inflateBy(plain, bytes), expected);
      expectSame(inflateBy(wasm, bytes), expected);
    }),
    search,
  );
  for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(search.numRuns / 50);
}, 3_600_000);
