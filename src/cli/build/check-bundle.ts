import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { defineCommand } from '../command-line/command.ts';
import { buildDir, engineBuildDir } from '../paths.ts';

/**
 * Cloudflare's limit is 10 MB gzip on the paid plan and 3 MB on the free one; ours are lower, so that growth is
 * noticed, and so is the return of zod's locales, 0.04 MB, which wrangler.toml leaves out. 3.70 MB of the whole
 * Worker is onnxruntime-web, which the engine's Worker leaves out. The kinds of TIFF (tiles, faxes, JPEG, Zstandard)
 * are 0.01 MB of each. HEIC and AVIF are 1.03 MB of each: libheif's module 0.47,
 * libavif's 0.34, dav1d's 0.17, and what calls them. Classifiers that callers teach are 0.02: their API, their stores and the learning.
 */
const bundles = [
  { folder: buildDir, entry: 'edge.js', maxGzipBytes: 5_140_000 },
  { folder: engineBuildDir, entry: 'edge-engine.js', maxGzipBytes: 1_430_000 },
] as const;

/** `npm run check:bundle`: what would be uploaded, after `npm run build`. */
export const checkBundle = defineCommand({
  usage: `Usage: npm run check:bundle

Prints the size of each file of the bundles that npm run build made. Fails if one of the bundles is too large.`,
  options: {},
  operands: { min: 0, max: 0 },
  async run() {
    let status = 0;
    for (const { folder, entry, maxGzipBytes } of bundles) {
      const modules = (await readdir(folder).catch(() => [])).filter((file) => /\.(js|wasm)$/.test(file));
      if (!modules.includes(entry))
        throw new Error(`There is no bundle with ${entry}: run npm run build first.`);
      let total = 0;
      for (const file of modules) {
        const bytes = gzipSync(await readFile(join(folder, file))).length;
        console.log(`${(bytes / 1e6).toFixed(3).padStart(8)} MB gzip  ${file}`);
        total += bytes;
      }
      console.log(`${(total / 1e6).toFixed(3).padStart(8)} MB gzip  in all, at most ${maxGzipBytes / 1e6}\n`);
      if (total > maxGzipBytes) {
        console.error(`The bundle of ${entry} is too large.`);
        status = 1;
      }
    }
    return status;
  },
});
