/**
 * Times image bytes -> crop against other ways to the same pixels: `npm run bench:image [-- --rounds 9]`; `--only WebP` runs
 * the rows whose title has that word.
 *
 * All contestants of a row run in turn, once each per round, so that a machine that slows down slows all
 * of them. Medians are printed, and each as a multiple of the first: ratios survive a change of machine,
 * milliseconds do not.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { decode as decodeFastPng } from 'fast-png';
import { decode as decodeImageJs } from 'image-js';
import sharp, { type Sharp } from 'sharp';
import { decodeToCrop } from '../../src/image/image-to-crop.ts';
import { createCropResampler } from '../../src/image/resample/crop-resampler.ts';
import { createRoutines, defaultSpec, readFixture } from '../image/fixtures.ts';
import { readCount, readScriptOptions } from '../read-script-options.ts';
import { noteComparison } from './pages/record.ts';

const options = readScriptOptions('Usage: npm run bench:image [-- --rounds 9 --only WebP]', {
  rounds: { type: 'string', default: '9' },
  only: { type: 'string', default: '' },
});
const rounds = readCount(options.rounds, '--rounds');
const sizes = {
  '1 MP': { width: 1152, height: 864 },
  '12 MP': { width: 4032, height: 3024 },
  '48 MP': { width: 8064, height: 6048 },
} as const;
type Size = keyof typeof sizes;

interface Contestant {
  readonly name: string;
  run(): unknown;
}

sharp.concurrency(1);
sharp.cache(false);

/** A photo enlarged, with noise on top: as many bytes a pixel as a phone's photos have (2 to 3 bits). */
function photo(size: Size): Sharp {
  const { width, height } = sizes[size];
  const noise = {
    create: {
      width,
      height,
      channels: 3,
      background: 'grey',
      noise: { type: 'gaussian', mean: 128, sigma: 40 },
    },
  } as const;
  return sharp(readFixture('baseline-1x1.jpg'))
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .composite([{ input: noise, blend: 'soft-light' }])
    .removeAlpha();
}

const routines = createRoutines();

/** Rows of a whole decoded image into this package's resampler, as fast as it is. */
function resample(pixels: Uint8Array, width: number, height: number, channels: number): Uint8Array {
  const arena = routines.borrow();
  const resampler = createCropResampler({ width, height, orientation: 1 }, defaultSpec, 1, arena);
  if (channels !== 3) throw new RangeError(`channels must be 3, got: ${channels}`);
  for (let y = resampler.window.top; y < resampler.window.bottom; y++) {
    resampler.writeRow(pixels.subarray(y * width * 3, (y + 1) * width * 3), y);
  }
  arena?.release();
  return resampler.crop;
}

const ours = (bytes: Uint8Array, fast = false): Contestant => ({
  name: fast ? 'this package, fast mode' : 'this package',
  run: () => decodeToCrop(bytes, defaultSpec, { fast, routines }),
});

const plain = (bytes: Uint8Array): Contestant => ({
  name: 'this package, plain TypeScript',
  run: () => decodeToCrop(bytes, defaultSpec),
});

const sharpAndResample = (bytes: Uint8Array): Contestant => ({
  name: 'sharp full decode + the same resampler',
  run: async () => {
    const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
    return resample(data, info.width, info.height, info.channels);
  },
});

const imageJs = (bytes: Uint8Array): Contestant => ({
  name: 'image-js decode + resize',
  run: () => {
    const image = decodeImageJs(bytes);
    const scale = 256 / Math.min(image.width, image.height);
    const resized = image.resize({
      width: Math.trunc(image.width * scale),
      height: Math.trunc(image.height * scale),
      interpolationType: 'bilinear',
    });
    return resized.crop({
      origin: { column: (resized.width - 224) >> 1, row: (resized.height - 224) >> 1 },
      width: 224,
      height: 224,
    });
  },
});

const sharpShrinkOnLoad = (bytes: Uint8Array): Contestant => ({
  name: 'sharp shrink-on-load (other pixels)',
  run: () =>
    sharp(bytes)
      .resize(256, 256, { fit: 'outside' })
      .extract({ left: 16, top: 16, width: 224, height: 224 })
      .raw()
      .toBuffer(),
});

const fastPng = (bytes: Uint8Array): Contestant => ({
  name: 'fast-png + the same resampler',
  run: () => {
    const { data, width, height, channels } = decodeFastPng(bytes);
    return resample(data as Uint8Array, width, height, channels);
  },
});

/** What zlib takes to inflate a PNG, its pixels dropped. */
function inflateAlone(png: Uint8Array): Contestant {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const idat = 0x49444154;
  const parts: Uint8Array[] = [];
  for (let at = 8; at + 12 <= png.length; at += 12 + view.getUint32(at)) {
    if (view.getUint32(at + 4) === idat) parts.push(png.subarray(at + 8, at + 8 + view.getUint32(at)));
  }
  const compressed = Buffer.concat(parts);
  return { name: "Node's zlib, inflating alone (no pixels)", run: () => inflateSync(compressed) };
}

async function compare(title: string, contestants: readonly Contestant[]): Promise<void> {
  if (!title.includes(options.only)) return;
  const times = contestants.map((): number[] => []);
  const cpuTimes = contestants.map((): number[] => []);
  for (let round = -2; round < rounds; round++) {
    for (const [i, contestant] of contestants.entries()) {
      const started = performance.now();
      const cpu = process.cpuUsage();
      await contestant.run();
      const { user, system } = process.cpuUsage(cpu);
      if (round < 0) continue;
      times[i]!.push(performance.now() - started);
      cpuTimes[i]!.push((user + system) / 1000);
    }
  }
  const medians = times.map(median);
  await noteComparison({
    title: title.replace(/, \d+ bytes$/, ''),
    unit: 'ms',
    base: contestants[0]!.name,
    rows: contestants.map(({ name }, index) => ({
      name,
      value: medians[index]!,
      cpuMs: median(cpuTimes[index]!),
      isOurs: name.startsWith('this package'),
    })),
  });
  console.log(`\n${title}`);
  for (const [i, { name }] of contestants.entries()) {
    const ratio = medians[0]! / medians[i]!;
    console.log(
      `  ${medians[i]!.toFixed(0).padStart(6)} ms  ${name.padEnd(42)} ${i === 0 ? '' : `ours takes ${ratio.toFixed(2)} of it`}`,
    );
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

const folder = mkdtempSync(join(tmpdir(), 'bench-image-'));

/** The limit for C with SIMD. Starting the process is part of it. */
function djpeg(bytes: Uint8Array, options: readonly string[]): Contestant[] {
  const file = join(folder, `${bytes.length}.jpg`);
  writeFileSync(file, bytes);
  const run = () => spawnSync('djpeg', [...options, '-outfile', join(folder, 'out.ppm'), file]);
  if (run().error !== undefined) return [];
  return [{ name: `djpeg ${options.join(' ')}(decode to a file)`, run }];
}

try {
  console.log(
    `${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} logical CPUs, Node ${process.version}; ${rounds} rounds`,
  );
  for (const size of ['1 MP', '12 MP'] as const) {
    const baseline = await photo(size).jpeg({ quality: 85, chromaSubsampling: '4:2:0' }).toBuffer();
    const progressive = await sharp(baseline).jpeg({ quality: 85, progressive: true }).toBuffer();
    const turned = await sharp(baseline).withMetadata({ orientation: 6 }).jpeg({ quality: 85 }).toBuffer();
    const png = await photo(size).png({ compressionLevel: 6, adaptiveFiltering: true }).toBuffer();
    await compare(`JPEG baseline 4:2:0, ${size}, ${baseline.length} bytes`, [
      ours(baseline),
      ours(baseline, true),
      plain(baseline),
      sharpAndResample(baseline),
      imageJs(baseline),
      sharpShrinkOnLoad(baseline),
      ...djpeg(baseline, []),
    ]);
    await compare(`JPEG progressive 4:2:0, ${size}, ${progressive.length} bytes`, [
      ours(progressive),
      ours(progressive, true),
      plain(progressive),
      sharpAndResample(progressive),
    ]);
    await compare(`JPEG baseline, orientation 6, ${size}`, [
      ours(turned),
      { ...ours(baseline), name: 'this package, orientation 1' },
    ]);
    const webp = await photo(size).webp({ quality: 80 }).toBuffer();
    await compare(`WebP lossy, ${size}, ${webp.length} bytes`, [
      ours(webp),
      plain(webp),
      sharpAndResample(webp),
    ]);
    await compare(`PNG RGB, ${size}, ${png.length} bytes`, [
      ours(png),
      plain(png),
      fastPng(png),
      sharpAndResample(png),
      inflateAlone(png),
    ]);
  }
  const large = await photo('48 MP').jpeg({ quality: 85, chromaSubsampling: '4:2:0' }).toBuffer();
  await compare(`JPEG baseline 4:2:0, 48 MP, ${large.length} bytes`, [
    ours(large),
    ours(large, true),
    sharpAndResample(large),
  ]);
} finally {
  rmSync(folder, { recursive: true });
}
