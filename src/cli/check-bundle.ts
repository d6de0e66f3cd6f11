import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildDir, engineBuildDir } from './paths.ts';

/**
 * `npm run check:bundle`: what would be uploaded, after `npm run build`. Cloudflare's limit is 10 MB
 * gzip on the paid plan and 3 MB on the free one; ours are lower, so that growth is noticed, and so is the
 * return of zod's locales, 0.04 MB, which wrangler.toml leaves out. 3.70 MB of the whole Worker is
 * onnxruntime-web, which the engine's Worker leaves out.
 */
const bundles = [
  { folder: buildDir, entry: 'edge.js', maxGzipBytes: 3_985_000 },
  { folder: engineBuildDir, entry: 'edge-engine.js', maxGzipBytes: 275_000 },
] as const;

for (const { folder, entry, maxGzipBytes } of bundles) {
  const modules = (await readdir(folder).catch(() => [])).filter((file) => /\.(js|wasm)$/.test(file));
  if (!modules.includes(entry)) {
    console.error(`There is no bundle with ${entry}: run npm run build first.`);
    process.exit(1);
  }
  let total = 0;
  for (const file of modules) {
    const bytes = gzipSync(await readFile(join(folder, file))).length;
    console.log(`${(bytes / 1e6).toFixed(3).padStart(8)} MB gzip  ${file}`);
    total += bytes;
  }
  console.log(`${(total / 1e6).toFixed(3).padStart(8)} MB gzip  in all, at most ${maxGzipBytes / 1e6}\n`);
  if (total > maxGzipBytes) {
    console.error(`The bundle of ${entry} is too large.`);
    process.exitCode = 1;
  }
}
