import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeToCrop, type ImageCrop } from '../../src/image/image-to-crop.ts';
import {
  avifBaseBytes,
  avifBytesPerPixel,
  dav1dHeapBytes,
  maxAvifBytes,
  maxWebpBytes,
  webpBytesPerFileByte,
  webpBytesPerPixel,
} from '../../src/limits.ts';
import { countAllocations } from './count-allocations.ts';
import {
  createRoutines,
  decodeAvif,
  decodeHeic,
  defaultSpec,
  loadAvifModules,
  loadDav1d,
  loadHeicModules,
  loadWebpModule,
  pixelWays,
} from './fixtures.ts';

/** The budgets of the specification: what may be allocated beyond the file itself. */
const megabyte = 1_000_000;
const streamedBudget = 2 * megabyte;

const sizes = {
  '12 MP': { width: 4032, height: 3024 },
  '48 MP': { width: 8064, height: 6048 },
} as const;

type Size = keyof typeof sizes;

/** Noise: every block has all its coefficients, every row its own filter. It takes longer to make than to decode. */
function noise({ width, height }: { width: number; height: number }): Sharp {
  return sharp({
    create: {
      width,
      height,
      channels: 3,
      background: 'grey',
      noise: { type: 'gaussian', mean: 128, sigma: 20 },
    },
  });
}

/**
 * What is allocated by the routines, and at 12 MP by plain TypeScript, whichever is more. Plain TypeScript takes minutes
 * for 48 MP. The routines' linear memory counts too.
 */
async function measure(
  bytes: Uint8Array,
  size: Size,
  fast = false,
): Promise<{ allocated: number; crop: ImageCrop }> {
  const withRoutines = await measureOneWay(bytes, { fast, createRoutines });
  if (size !== '12 MP') return withRoutines;
  const plain = await measureOneWay(bytes, { fast });
  expect(Buffer.compare(plain.crop.crop, withRoutines.crop.crop)).toBe(0);
  return plain.allocated > withRoutines.allocated ? plain : withRoutines;
}

async function measureOneWay(
  bytes: Uint8Array,
  options: { readonly fast: boolean; readonly createRoutines?: typeof createRoutines },
): Promise<{ allocated: number; crop: ImageCrop }> {
  const { result, bytes: allocated } = await countAllocations(() =>
    decodeToCrop(bytes, defaultSpec, { fast: options.fast, routines: options.createRoutines?.() }),
  );
  if (result.status === 'rejected') throw result.reason;
  return { allocated, crop: result.value };
}

describe.each<Size>(['12 MP', '48 MP'])('%s', { timeout: 120_000 }, (size) => {
  let baseline: Uint8Array;
  let progressive: Uint8Array;

  beforeAll(async () => {
    baseline = await noise(sizes[size]).jpeg({ quality: 80 }).toBuffer();
    progressive = await sharp(baseline, { limitInputPixels: false })
      .jpeg({ quality: 80, progressive: true })
      .toBuffer();
  }, 120_000);

  it('baseline JPEG', async () => {
    const { allocated, crop } = await measure(baseline, size);
    expect(allocated).toBeLessThan(streamedBudget);
    expect(crop.approximate).toBe(false);
  });

  it('progressive JPEG, exact', async () => {
    const { allocated, crop } = await measure(progressive, size);
    expect(allocated).toBeLessThan(streamedBudget + megabyte);
    expect(crop.approximate).toBe(false);
  });

  it('JPEG in fast mode', async () => {
    expect((await measure(baseline, size, true)).allocated).toBeLessThan(streamedBudget);
  });

  it('JPEG that is turned by its orientation', async () => {
    const turned = await sharp(baseline, { limitInputPixels: false })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const { allocated, crop } = await measure(turned, size);
    expect(crop.header.orientation).toBe(6);
    expect(allocated).toBeLessThan(streamedBudget);
  });

  it('PNG', async () => {
    const { width, height } = sizes[size];
    const png = await sharp({ create: { width, height, channels: 3, background: '#336699' } })
      .png({ compressionLevel: 1 })
      .toBuffer();
    const { allocated, crop } = await measure(png, size);
    expect(allocated).toBeLessThan(streamedBudget);
    expect(createHash('sha256').update(crop.crop).digest('hex')).toBe(
      createHash('sha256')
        .update(Buffer.alloc(224 * 224 * 3, '336699', 'hex'))
        .digest('hex'),
    );
  });

  it.each(['deflate', 'lzw'] as const)('TIFF of strips by %s', async (compression) => {
    const tiff = await sharp({ create: { ...sizes[size], channels: 3, background: '#336699' } })
      .tiff({ compression })
      .toBuffer();
    expect((await measure(tiff, size)).allocated).toBeLessThan(streamedBudget);
  });

  it.each(['deflate', 'jpeg'] as const)('TIFF of tiles by %s', async (compression) => {
    const { width, height } = sizes[size];
    const tiff = await sharp({ create: { width, height, channels: 3, background: '#336699' } })
      .tiff({ compression, tile: true, tileWidth: 256, tileHeight: 256 })
      .toBuffer();
    // A row of tiles as RGB; the routines' memory is used again for each JPEG, JavaScript's is counted anew.
    const { allocated } = await measureOneWay(tiff, { fast: false, createRoutines });
    expect(allocated).toBeLessThan(streamedBudget + 256 * width * 3);
  });

  it.each([{ alpha: false }, { alpha: true }])('lossy WebP, alpha: $alpha', async ({ alpha }) => {
    const colours = sharp(baseline, { limitInputPixels: false });
    const image = alpha ? colours.ensureAlpha(0.5) : colours;
    const webp = await image.webp({ quality: 80, effort: 0, alphaQuality: 0 }).toBuffer();
    const { allocated, crop } = await measure(webp, size);
    expect(allocated).toBeLessThan(streamedBudget);
    expect(crop.approximate).toBe(false);
  });

  it('interlaced PNG', async () => {
    const { width, height } = sizes[size];
    const png = await sharp({ create: { width, height, channels: 3, background: '#336699' } })
      .png({ compressionLevel: 1, progressive: true })
      .toBuffer();
    expect((await measure(png, size)).allocated).toBeLessThan(streamedBudget);
  });
});

/** libwebp holds whole frames: its cap in pixels is derived from its memory, which this measures. */
describe('lossless WebP as large as it may be', { timeout: 60_000 }, () => {
  it.each([
    { kind: 'without alpha', alpha: false, options: { lossless: true, effort: 0 } },
    { kind: 'with alpha', alpha: true, options: { lossless: true } },
  ])('$kind', async ({ alpha, options }) => {
    const encode = async (side: number) => {
      const colours = noise({ width: side, height: side });
      if (!alpha) return colours.webp(options).toBuffer();
      const raw = { width: side, height: side, channels: 1 } as const;
      const grey = await noise({ width: side, height: side }).extractChannel(0).raw().toBuffer();
      const pixels = await colours.joinChannel(grey, { raw }).png({ compressionLevel: 0 }).toBuffer();
      return sharp(pixels).webp(options).toBuffer();
    };
    const fileBytesPerPixel = (await encode(400)).length / (400 * 400);
    const perPixel = webpBytesPerPixel + fileBytesPerPixel * webpBytesPerFileByte;
    const webp = await encode(Math.floor(Math.sqrt((0.99 * maxWebpBytes) / perPixel)));
    const { result, bytes } = await countAllocations(() =>
      decodeToCrop(webp, defaultSpec, { loadWebpModule, routines: createRoutines() }),
    );
    if (result.status === 'rejected') throw result.reason;
    expect(bytes).toBeLessThan(maxWebpBytes + streamedBudget);
    // Were it far less, the cap would refuse what fits.
    expect(bytes).toBeGreaterThan(maxWebpBytes * 0.6);
  });
});

it('a HEIC of 12 megapixels in tiles, as phones make them, takes 24 MB', async () => {
  const photo = new Uint8Array(
    readFileSync(new URL('../fixtures/heif-cases/phone-12-megapixels.heic', import.meta.url)),
  );
  loadHeicModules();
  const { result, bytes } = await countAllocations(() =>
    decodeToCrop(photo, defaultSpec, { decodeHeic, routines: createRoutines() }),
  );
  if (result.status === 'rejected') throw result.reason;
  expect(result.value.header).toMatchObject({ width: 4032, height: 3024 });
  // Whole it takes 58. The file, 31 kB, is a part of libheif's heap.
  expect(bytes).toBeLessThan(24 * megabyte);
});

/** Both decoders hold whole frames: their caps in pixels are derived from their memory, which this measures. */
describe('an AVIF as large as it may be', { timeout: 60_000 }, () => {
  const expectNearCap = async (avif: Uint8Array) => {
    loadAvifModules();
    loadDav1d();
    const { result, bytes } = await countAllocations(() =>
      decodeToCrop(avif, defaultSpec, { decodeAvif, routines: createRoutines() }),
    );
    if (result.status === 'rejected') throw result.reason;
    // The planes stay in the decoder's heap: beside it there are only rows.
    expect(bytes).toBeLessThan(maxAvifBytes + streamedBudget);
    // Were it far less, the cap would refuse what fits.
    expect(bytes).toBeGreaterThan(maxAvifBytes * 0.6);
  };

  it('by libavif', async () => {
    const side = Math.floor(Math.sqrt((0.9 * (maxAvifBytes - avifBaseBytes)) / avifBytesPerPixel.decoding));
    const grey = noise({ width: side, height: side }).toColourspace('b-w');
    await expectNearCap(await grey.avif({ effort: 0, quality: 20 }).toBuffer());
  });

  it('by dav1d', async () => {
    const { base, perPixel } = dav1dHeapBytes;
    const side = Math.floor(Math.sqrt((0.94 * (maxAvifBytes - base)) / (perPixel.picture + perPixel.blocks)));
    const options = { effort: 0, quality: 20, chromaSubsampling: '4:2:0' };
    await expectNearCap(await noise({ width: side, height: side }).avif(options).toBuffer());
  });
});

it('an AVIF of 12 megapixels takes 36 MB', { timeout: 60_000 }, async () => {
  const options = { effort: 0, quality: 50, chromaSubsampling: '4:2:0' };
  const photo = await noise(sizes['12 MP']).avif(options).toBuffer();
  loadDav1d();
  const { result, bytes } = await countAllocations(() =>
    decodeToCrop(photo, defaultSpec, { decodeAvif, routines: createRoutines() }),
  );
  if (result.status === 'rejected') throw result.reason;
  // 31 MB and the file; by libavif it would take 180.
  expect(bytes).toBeLessThan(36 * megabyte + photo.length);
});

it('an AVIF of 12 megapixels in tiles takes 24 MB', async () => {
  const photo = new Uint8Array(
    readFileSync(new URL('../fixtures/avif-cases/grid-12-megapixels.avif', import.meta.url)),
  );
  loadDav1d();
  const { result, bytes } = await countAllocations(() =>
    decodeToCrop(photo, defaultSpec, { decodeAvif, routines: createRoutines() }),
  );
  if (result.status === 'rejected') throw result.reason;
  expect(result.value.header).toMatchObject({ width: 4032, height: 3024 });
  expect(bytes).toBeLessThan(24 * megabyte);
});

it.each(pixelWays)(
  'a line of 65,400 pixels stood upright, enlarged 256 times: $way',
  async ({ routines }) => {
    const line = await sharp({ create: { width: 65_400, height: 1, channels: 3, background: '#336699' } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const { result, bytes } = await countAllocations(() => decodeToCrop(line, defaultSpec, { routines }));
    expect(result.status).toBe('fulfilled');
    // 3.7 MB; with a whole row for each of the 224 lines in progress 92 MB.
    expect(bytes).toBeLessThan(3 * streamedBudget);
  },
);
