/**
 * `npm run bench:answers [-- --rounds 40]`: what a remembered answer costs beside a computed one, taking
 * turns in one local workerd, request to last byte.
 */
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import setupBuild from '../build-edge.ts';
import { startEdge } from '../edge/edge-server.ts';
import { goldenPath } from '../golden/golden.ts';
import { readCount, readScriptOptions } from '../read-script-options.ts';
import { median } from './median.ts';
import { noteComparison } from './pages/record.ts';

const options = readScriptOptions('Usage: npm run bench:answers [-- --rounds 40]', {
  rounds: { type: 'string', default: '40' },
});
const rounds = readCount(options.rounds, '--rounds');
const photo = new Uint8Array(await readFile(goldenPath('cat.jpg')));
setupBuild();
const edge = await startEdge({ vars: { ANSWER_CACHE_SECONDS: '60', RATE_LIMIT_REQUESTS: '0' } });
try {
  await edge.fetch('/v1/health/ready');
  const times = { 'resnet-edge; fwd=miss; stored': [] as number[], 'resnet-edge; hit': [] as number[] };
  for (let round = 0; round < rounds; round++) {
    // Another top_k is another question.
    for (const origin of Object.keys(times) as (keyof typeof times)[]) {
      const start = performance.now();
      const response = await edge.fetch(`/v1/classify?top_k=${round + 10}`, { method: 'POST', body: photo });
      await response.arrayBuffer();
      if (response.headers.get('cache-status') !== origin)
        throw new Error(`expected ${origin}, got: ${response.headers.get('cache-status')}`);
      times[origin].push(performance.now() - start);
    }
  }
  const [computed, remembered] = Object.values(times).map(median);
  console.log(
    `${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}; ${rounds} rounds, median ms`,
  );
  await noteComparison({
    title: 'A photo of 451 x 300, request to last byte',
    unit: 'ms',
    base: 'computed',
    rows: [
      { name: 'computed', value: computed!, isOurs: true },
      { name: 'remembered', value: remembered!, isOurs: true },
    ],
  });
  console.log(
    `computed ${computed!.toFixed(1)}  remembered ${remembered!.toFixed(1)}  ratio ${(remembered! / computed!).toFixed(2)}`,
  );
} finally {
  await edge.stop();
}
process.exit(0);
