/**
 * `npm run bench:formats`: CPU per megapixel and memory of each format, decoded to the model's crop by the Worker's own
 * decoders, each in a process of its own. The photo is golden, enlarged; the table stands in docs/images.md.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { readImageOptions } from '../../src/cli/models/image-options.ts';
import { projectRoot } from '../../src/cli/paths.ts';
import { decodeToCrop } from '../../src/image/image-to-crop.ts';
import { goldenPath } from '../golden/golden.ts';
import { defaultSpec } from '../image/default-spec.ts';
import { median } from './median.ts';
import { type Comparison, noteComparison } from './pages/record.ts';

const rounds = 5;
const [file] = process.argv.slice(2);
if (file !== undefined) await measure(file);
else await measureAll();

/** In a process of its own: what the photo takes beyond what was there before. */
async function measure(path: string): Promise<void> {
  const bytes = new Uint8Array(await readFile(path));
  const options = readImageOptions();
  const small = await sharp({ create: { width: 300, height: 300, channels: 3, background: 'grey' } })
    .jpeg()
    .toBuffer();
  await decodeToCrop(new Uint8Array(small), defaultSpec, options);
  globalThis.gc?.();
  // Linux forgets the peak, and begins anew from what is resident now.
  await writeFile('/proc/self/clear_refs', '5').catch(() => undefined);
  const before = await readPeak();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const begun = process.cpuUsage();
    await decodeToCrop(bytes, defaultSpec, options);
    const { user, system } = process.cpuUsage(begun);
    times.push((user + system) / 1000);
  }
  const grown = (await readPeak()) - before;
  console.log(JSON.stringify({ cold: times[0], warm: median(times.slice(1)), grown }));
}

/** Largest resident memory so far, in bytes; 0 where there is no /proc. */
async function readPeak(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

async function measureAll(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'formats-'));
  const photo = (width: number, height: number) =>
    sharp(goldenPath('coffee.png')).resize(width, height, { kernel: 'lanczos3', fit: 'fill' }).removeAlpha();
  const large = () => photo(4000, 3000);
  const small = () => photo(1600, 1200);
  const made: readonly [string, number, () => Promise<Buffer>][] = [
    ['JPEG, baseline', 12, () => large().jpeg({ quality: 88 }).toBuffer()],
    ['JPEG, progressive', 12, () => large().jpeg({ quality: 88, progressive: true }).toBuffer()],
    ['PNG, RGB', 12, () => large().png({ compressionLevel: 6 }).toBuffer()],
    ['WebP, lossy', 12, () => large().webp({ quality: 85 }).toBuffer()],
    ['WebP, lossless', 1.92, () => small().webp({ lossless: true, effort: 2 }).toBuffer()],
    ['GIF', 1.92, () => small().gif().toBuffer()],
    ['TIFF, LZW', 12, () => large().tiff({ compression: 'lzw' }).toBuffer()],
    ['TIFF, Deflate', 12, () => large().tiff({ compression: 'deflate' }).toBuffer()],
    ['TIFF, JPEG', 12, () => large().tiff({ compression: 'jpeg', quality: 88 }).toBuffer()],
    ['AVIF', 1.92, () => small().avif({ quality: 60, effort: 3, chromaSubsampling: '4:2:0' }).toBuffer()],
  ];
  console.log(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}, ${rounds} rounds\n`);
  console.log(
    '| format | megapixels | file, MB | CPU, ms a megapixel | the first time | memory beyond the file, MB |',
  );
  console.log('|---|---|---|---|---|---|');
  const rows: Comparison['rows'][number][] = [];
  try {
    for (const [name, megapixels, make] of made) {
      const path = join(folder, 'photo');
      const bytes = await make();
      await writeFile(path, bytes);
      const argv = ['--expose-gc', '--disable-warning=ExperimentalWarning', 'test/bench/formats.ts', path];
      const { stdout } = await promisify(execFile)(process.execPath, argv, { cwd: projectRoot });
      const { cold, warm, grown } = JSON.parse(stdout) as { cold: number; warm: number; grown: number };
      rows.push({ name, value: warm / megapixels, isOurs: true });
      const cells = [
        name,
        megapixels,
        (bytes.length / 1e6).toFixed(1),
        (warm / megapixels).toFixed(1),
        (cold / megapixels).toFixed(1),
        Math.max(0, grown / 1e6).toFixed(0),
      ];
      console.log(`| ${cells.join(' | ')} |`);
    }
    await noteComparison({ title: 'CPU', unit: 'ms a megapixel', base: 'JPEG, baseline', rows });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
