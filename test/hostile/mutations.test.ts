import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CodedError } from '../../src/errors.ts';
import { decodeToCrop } from '../../src/image/image-to-crop.ts';
import { fuzz } from '../fuzz.ts';
import { countAllocations } from '../image/count-allocations.ts';
import { createRoutines, defaultSpec, goldens, loadWebpModule, readFixture } from '../image/fixtures.ts';

/** RESNET_EDGE_FUZZ_RUNS=100000 for a longer search; RESNET_EDGE_FUZZ_SEED repeats one. */
const search = fuzz(3000);

/** More than any mutation of a small file may take: most stop at once, some declare a large image. */
const maxCpuMs = 2000;
const maxBytes = 32 * 1024 * 1024;

const names = Object.keys(goldens.files);
/** Formats first, or most mutations would be of JPEGs and PNGs, of which there are the most. */
const formats = ['jpg', 'png', 'gif', 'bmp', 'tiff', 'webp'];
const anyName = fc
  .constantFrom(...formats, 'jpg', 'png')
  .chain((format) => fc.constantFrom(...names.filter((name) => name.endsWith(`.${format}`))));

/** One change to a file; `at` and `length` are fractions of it. */
interface Mutation {
  readonly kind: 'set' | 'flip' | 'remove' | 'repeat' | 'insert' | 'cut';
  readonly at: number;
  readonly length: number;
  readonly value: number;
}

// Not fc.double, which prefers the tiniest numbers there are.
const fraction = fc.integer({ min: 0, max: 999_999 }).map((value) => value / 1_000_000);
/** Headers decide most: half of the changes are made in the first bytes. */
const position = fc.oneof(
  fraction,
  fraction.map((value) => value * 0.05),
);
/** Behind what tells the format, which is soon tested. */
const signatureBytes = 12;
const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('set', 'set', 'flip', 'flip', 'flip', 'remove', 'repeat', 'insert', 'cut'),
  at: position,
  length: fraction.map((value) => value ** 4),
  value: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 0xff, 0x7f, 0x80)),
});

function mutate(bytes: Uint8Array, { kind, at, length, value }: Mutation): Uint8Array {
  const start =
    Math.min(signatureBytes, bytes.length) + Math.floor(at * Math.max(0, bytes.length - signatureBytes));
  const end = Math.min(bytes.length, start + 1 + Math.floor(length * bytes.length));
  const before = bytes.subarray(0, start);
  const part = bytes.subarray(start, end);
  const after = bytes.subarray(end);
  switch (kind) {
    case 'set':
      return join(
        before,
        part.map(() => value),
        after,
      );
    case 'flip':
      return join(
        before,
        part.map((byte, i) => (i === 0 ? byte ^ (1 << (value & 7)) : byte)),
        after,
      );
    case 'remove':
      return join(before, after);
    case 'repeat':
      return join(before, part, part, after);
    case 'insert':
      return join(before, Uint8Array.of(value, value), part, after);
    case 'cut':
      return join(before);
  }
}

function withRightChecksums(png: Uint8Array): Uint8Array {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  for (let at = 8; at + 12 <= png.length; ) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > png.length) break;
    view.setUint32(end, crc32(png.subarray(at + 4, end)));
    at = end + 4;
  }
  return png;
}

function join(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** CPU time, the least of a few runs. */
async function leastCpuMs(run: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 3; attempt++) {
    const started = process.cpuUsage();
    await run().catch(() => undefined);
    const { user, system } = process.cpuUsage(started);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

it(`${search.numRuns} mutated files are decoded or refused, in bounded time and memory`, {
  timeout: 0,
}, async () => {
  await loadWebpModule();
  const outcomes = new Map<string, number>();
  const property = fc.asyncProperty(
    anyName,
    fc.array(mutation, { minLength: 1, maxLength: 4 }),
    fc.boolean(),
    fc.constantFrom(undefined, createRoutines()),
    async (name, mutations, fast, routines) => {
      const mutated = mutations.reduce(mutate, readFixture(name));
      // Without this, a PNG's checksums would hide its decoder.
      const bytes = name.endsWith('.png') ? withRightChecksums(mutated) : mutated;
      const decode = () => decodeToCrop(bytes, defaultSpec, { loadWebpModule, fast, routines });
      const started = process.cpuUsage();
      const { result, bytes: allocated } = await countAllocations(decode);
      const { user, system } = process.cpuUsage(started);
      const outcome = result.status === 'fulfilled' ? 'decoded' : String(result.reason?.code);
      const kind = `${name.slice(name.lastIndexOf('.') + 1)} ${outcome}`;
      outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
      if (result.status === 'rejected' && !(result.reason instanceof CodedError)) throw result.reason;
      expect(outcome).toMatch(/^(decoded|image_)/);
      expect(allocated).toBeLessThan(maxBytes);
      const cpuMs = (user + system) / 1000;
      // Noise only adds: what is too slow once has to be so again and again.
      if (cpuMs >= maxCpuMs) expect(await leastCpuMs(decode)).toBeLessThan(maxCpuMs);
      // Nonsense too has to come out as plain TypeScript makes it. PNG's decoder is the same either way.
      if (routines === undefined || !/\.(jpg|webp)$/.test(name)) return;
      const [plain] = await Promise.allSettled([decodeToCrop(bytes, defaultSpec, { loadWebpModule, fast })]);
      expect(plain.status).toBe(result.status);
      if (plain.status === 'rejected' && result.status === 'rejected') {
        expect(result.reason.message).toBe(plain.reason.message);
      }
      if (plain.status === 'fulfilled' && result.status === 'fulfilled') {
        expect(Buffer.compare(plain.value.crop, result.value.crop)).toBe(0);
      }
    },
  );
  await fc.assert(property, search);
  // Every format has to have been got past its header, and to have been found wanting.
  for (const format of formats) {
    expect(outcomes.get(`${format} decoded`)).toBeGreaterThan(search.numRuns / 200);
    expect(outcomes.get(`${format} image_truncated`)).toBeGreaterThan(search.numRuns / 200);
  }
  console.log(`mutated files: ${JSON.stringify(Object.fromEntries(outcomes))}`);
});
