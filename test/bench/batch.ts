import { availableParallelism } from 'node:os';
import { readCount, readScriptOptions } from '../read-script-options.ts';
import { measureTier } from './tier-throughput.ts';
import { measureWholePath } from './whole-path.ts';

/**
 * `npm run bench:batch`: how much of onnxruntime-node's own speed the tier keeps, and what decoding adds.
 * `npm run bench:batch -- --images 10000`: so many small images through edge, queue, tier and results; fails
 * if one is lost.
 */
const values = readScriptOptions('Usage: npm run bench:batch [-- --images 10000]', {
  images: { type: 'string' },
});
if (values.images === undefined) {
  // One thread: the rest of the tier has a core of its own. All of them: everything shares, the generator of
  // the load too.
  for (const threads of new Set([1, availableParallelism()])) await measureTier(threads);
} else if (!(await measureWholePath(readCount(values.images, '--images')))) process.exitCode = 1;
