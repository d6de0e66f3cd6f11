import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CodedError } from '../../src/errors.ts';
import { Dav1d } from '../../src/image/codecs/avif/dav1d.ts';
import { decodePicture } from '../../src/image/codecs/avif/libavif.ts';
import { findPlainPicture } from '../../src/image/codecs/avif/plain-picture.ts';
import { writeRows } from '../../src/image/codecs/avif/write-rows.ts';
import { createHeicDecoder } from '../../src/image/codecs/heic/decode-heic.ts';
import { HeicFile } from '../../src/image/codecs/heic/libheif.ts';
import type { OptionalDecoder } from '../../src/image/image.ts';
import { decodeToCrop } from '../../src/image/image-to-crop.ts';
import { parseStillImage } from '../../src/image/isobmff/parse-still-image.ts';
import { parseImageHeader } from '../../src/image/probe.ts';
import { maxAvifBytes } from '../../src/limits.ts';
import { fuzz } from '../fuzz.ts';
import {
  decodeAvif,
  decodeHeic,
  defaultSpec,
  loadAvifModules,
  loadDav1d,
  loadHeicModules,
} from '../image/fixtures.ts';
import { expectOutcome } from './outcome.ts';

const folder = new URL('../fixtures/', import.meta.url);
const { numRuns: runs, seed = 16 } = fuzz(500);

function read(path: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(path, folder)));
}

const heics = readdirSync(new URL('heif-cases', folder)).map((name) => `heif-cases/${name}`);
/** Without one that takes half a second. */
const avifs = readdirSync(new URL('avif-cases', folder))
  .filter((name) => !name.includes('megapixels'))
  .map((name) => `avif-cases/${name}`);

/** Whole numbers below `end`: mulberry32. */
function createRandom(start: number): (end: number) => number {
  let state = start;
  return (end) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % end;
  };
}

/** Where the first box of a type begins, by its content. */
function findContent(bytes: Uint8Array, type: string): number {
  const at = Buffer.from(bytes).indexOf(type);
  expect(at).toBeGreaterThan(0);
  return at + 4;
}

function withUint32(bytes: Uint8Array<ArrayBuffer>, at: number, value: number): Uint8Array<ArrayBuffer> {
  const changed = bytes.slice();
  new DataView(changed.buffer).setUint32(at, value);
  return changed;
}

async function decode(bytes: Uint8Array): Promise<string> {
  try {
    await decodeToCrop(bytes, defaultSpec, { decodeHeic, decodeAvif });
    return 'decoded';
  } catch (error) {
    expect(error).toBeInstanceOf(CodedError);
    expect((error as CodedError).code).toMatch(/^image_/);
    return (error as CodedError).code;
  }
}

describe('sizes are refused before a decoder is loaded', () => {
  const single = read('heif-cases/single.heic');
  const ispe = findContent(single, 'ispe') + 4;
  it.each([
    [70_000, 10, 'image_too_many_pixels'],
    [60_000, 60_000, 'image_too_many_pixels'],
    [4000, 3000, 'image_too_many_pixels'],
    [0, 10, 'image_malformed'],
  ])('a single picture of %i x %i', async (width, height, code) => {
    const large = withUint32(withUint32(single, ispe, width), ispe + 4, height);
    let loads = 0;
    const decodeCounted = createHeicDecoder(() => {
      loads++;
      return loadHeicModules();
    });
    await expect(decodeToCrop(large, defaultSpec, { decodeHeic: decodeCounted })).rejects.toMatchObject({
      code,
    });
    expect(loads).toBe(0);
  });

  it('an AVIF of 4000 x 3000', async () => {
    const avif = read('avif-cases/444.avif');
    const at = findContent(avif, 'ispe') + 4;
    expect(await decode(withUint32(withUint32(avif, at, 4000), at + 4, 3000))).toBe('image_too_many_pixels');
  });
});

describe('boxes that lie', () => {
  it.each([
    ['a declared size that the stream does not have', 'heif-cases/single.heic', 'ispe', 4, 1000],
    ['tiles of another size', 'heif-cases/grid.heic', 'ispe', 4, 500],
    ['an AVIF of another size', 'avif-cases/444.avif', 'ispe', 4, 1000],
  ])('%s', async (_, path, type, offset, value) => {
    const bytes = read(path);
    expect(await decode(withUint32(bytes, findContent(bytes, type) + offset, value))).toBe('image_malformed');
  });

  it('a grid of an AVIF whose tiles are in another order, which libavif would mix up', async () => {
    const bytes = read('avif-cases/grid-444.avif');
    // The item that refers, the count and two tiles.
    const tiles = findContent(bytes, 'dimg') + 4;
    bytes.copyWithin(tiles, tiles + 2, tiles + 4);
    bytes[tiles + 3] = 1;
    expect([...bytes.subarray(tiles, tiles + 4)]).toEqual([0, 2, 0, 1]);
    expect(await decode(bytes)).toBe('image_format_unsupported');
  });

  it('colours of which there is no conversion', async () => {
    const bytes = read('avif-cases/444.avif');
    // Behind the primaries and the transfer characteristics: BT.2020 with constant luminance.
    bytes[findContent(bytes, 'nclx') + 5] = 10;
    expect(await decode(bytes)).toBe('image_format_unsupported');
  });

  it('a list of items that says it is endless', async () => {
    const bytes = read('heif-cases/grid.heic');
    await expectOutcome(withUint32(bytes, findContent(bytes, 'ipma') + 4, 0xffffffff), 'image_malformed');
  });

  it('no picture at all', async () => {
    expect(await decode(new TextEncoder().encode('\0\0\0\x18ftypheic\0\0\0\0mif1heic'))).toBe(
      'image_truncated',
    );
  });
});

describe('a file that is cut', () => {
  it.each(['heif-cases/grid.heic', 'heif-cases/single.heic', 'avif-cases/420.avif'])('%s', async (path) => {
    const whole = read(path);
    for (let length = 16; length < whole.length; length += Math.ceil(whole.length / 60)) {
      expect.soft(await decode(whole.subarray(0, length)), `at ${length}`).toMatch(/truncated|malformed/);
    }
  });
});

/** What a decoder makes of all pixels, or the code of its error. */
async function digestPixels(decoding: OptionalDecoder, bytes: Uint8Array): Promise<string> {
  const { width, height } = parseStillImage(bytes, 'avif');
  const hash = createHash('sha256');
  try {
    await decoding(bytes, {
      window: { left: 0, top: 0, right: width, bottom: height },
      writeRow: (rgb) => hash.update(rgb.subarray(0, 3 * width)),
    });
    return hash.digest('hex');
  } catch (error) {
    expect(error).toBeInstanceOf(CodedError);
    return (error as CodedError).code;
  }
}

/** All entries of `iloc` (version 0, offsets and lengths of 4 bytes) as one: the item is the whole of `mdat`, and more. */
it('tiles of an AVIF that share their data are too complex', async () => {
  const bytes = read('avif-cases/grid-12-megapixels.avif');
  const iloc = findContent(bytes, 'iloc');
  const view = new DataView(bytes.buffer);
  expect([view.getUint32(iloc), view.getUint16(iloc + 4)]).toEqual([0, 0x4400]);
  const padded = new Uint8Array(bytes.length + 1_000_000);
  padded.set(bytes);
  const data = findContent(bytes, 'mdat');
  const items = new DataView(padded.buffer);
  items.setUint32(data - 8, items.getUint32(data - 8) + 1_000_000);
  // An OBU of padding behind the last tile, which all tiles have then.
  const first = view.getUint32(iloc + 8 + 6);
  const firstBytes = view.getUint32(iloc + 8 + 10);
  const unit = bytes.slice(first, first + firstBytes);
  const padding = 1_000_000 - firstBytes - 4;
  padded.set(unit, bytes.length);
  padded.set(
    [0x7a, (padding & 127) | 128, ((padding >> 7) & 127) | 128, padding >> 14],
    bytes.length + firstBytes,
  );
  const count = view.getUint16(iloc + 6);
  for (let i = 0; i < count - 1; i++) {
    items.setUint32(iloc + 8 + 14 * i + 6, bytes.length);
    items.setUint32(iloc + 8 + 14 * i + 10, 1_000_000);
  }
  expect(await decode(padded)).toBe('image_too_complex');
});

describe('AV1 that is damaged', () => {
  const decodeByLibavif: OptionalDecoder = async (bytes, sink) => {
    const picture = await decodePicture(
      loadAvifModules(),
      bytes,
      parseStillImage(bytes, 'avif'),
      maxAvifBytes,
    );
    writeRows(picture, sink, sink.window);
  };

  it.each([
    '420.avif',
    '420-odd.avif',
    'grid-420.avif',
    'restoration.avif',
    'film-grain.avif',
    'tiles-in-frame.avif',
  ])('%s: dav1d refuses what libaom refuses, and shows the same pixels of the rest', async (name) => {
    const whole = read(`avif-cases/${name}`);
    const data = findContent(whole, 'mdat');
    const random = createRandom(seed);
    let refusals = 0;
    for (let run = 0; run < runs / 40; run++) {
      const bytes = whole.slice();
      bytes[data + random(bytes.length - data)]! ^= 1 << random(8);
      const shown = await digestPixels(decodeAvif, bytes);
      expect.soft(shown, `run ${run}`).toBe(await digestPixels(decodeByLibavif, bytes));
      if (shown === 'image_malformed') refusals++;
    }
    expect(refusals).toBeGreaterThan(runs / 80);
  });

  it('a frame that ends early', () => {
    const bytes = read('avif-cases/420.avif');
    const [part] = findPlainPicture(bytes, parseStillImage(bytes, 'avif'))!.parts;
    const decoder = new Dav1d(loadDav1d(), maxAvifBytes);
    expect(() => decoder.decode(part!.subarray(0, 900), () => expect.unreachable())).toThrow(
      expect.objectContaining({ code: 'image_malformed' }),
    );
  });

  it('a heap that is too small ends in a code', () => {
    const bytes = read('avif-cases/grid-12-megapixels.avif');
    const [part] = findPlainPicture(bytes, parseStillImage(bytes, 'avif'))!.parts;
    const decoder = new Dav1d(loadDav1d(), maxAvifBytes);
    const endless = new Uint8Array(maxAvifBytes);
    expect(() => decoder.decode(endless, () => expect.unreachable())).toThrow(
      expect.objectContaining({ code: 'image_too_many_pixels' }),
    );
    expect(() => decoder.decode(part!, () => {})).not.toThrow();
  });
});

describe('files that are changed at random end in pixels or in a code', () => {
  it.each([
    ['HEIC', heics],
    ['AVIF', avifs],
  ])(
    '%s',
    async (_, paths) => {
      const random = createRandom(seed);
      const files = paths.map(read);
      for (let run = 0; run < runs; run++) {
        const bytes = files[run % files.length]!.slice();
        // Half of the changes hit the boxes, which are at the start.
        const end = run % 2 === 0 ? Math.min(900, bytes.length) : bytes.length;
        for (let change = random(4); change >= 0; change--) bytes[random(end)] = random(256);
        await decode(bytes);
      }
    },
    300_000,
  );
});

describe('memory', () => {
  it('is not given beyond the cap, whatever the file asks for, and the next file is decoded as ever', async () => {
    const bytes = read('heif-cases/single.heic');
    const attempt = () => new HeicFile(loadHeicModules(), new Uint8Array(18 * 1024 * 1024), 18 * 1024 * 1024);
    expect(attempt).toThrow(expect.objectContaining({ code: 'image_too_many_pixels' }));
    expect(parseImageHeader(bytes)).toMatchObject({ width: 150, height: 116 });
    expect(await decode(bytes)).toBe('decoded');
  });
});
