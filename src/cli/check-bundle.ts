import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildDir } from './paths.ts';

/**
 * `npm run check:bundle`: what would be uploaded, after `npm run build`. Cloudflare's limit is 10 MB
 * gzip on the paid plan; ours is lower, so that growth is noticed. 3.70 MB of it is onnxruntime-web.
 */
const maxGzipBytes = 4_000_000;

const files = (await readdir(buildDir)).filter((file) => /\.(js|wasm)$/.test(file));
if (!files.includes('edge.js')) {
  console.error('There is no bundle: run npm run build first.');
  process.exit(1);
}
let total = 0;
for (const file of files) {
  const bytes = gzipSync(await readFile(join(buildDir, file))).length;
  console.log(`${(bytes / 1e6).toFixed(3).padStart(8)} MB gzip  ${file}`);
  total += bytes;
}
console.log(`${(total / 1e6).toFixed(3).padStart(8)} MB gzip  in all, at most ${maxGzipBytes / 1e6}`);
if (total > maxGzipBytes) {
  console.error('The bundle is too large.');
  process.exitCode = 1;
}
