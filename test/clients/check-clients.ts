/**
 * `npm run check:clients [-- --all]`: generates clients from the service's own /openapi.json, compiles them, and
 * classifies a photo by its bytes and by a form with each. Tools come from their registries at the versions written in
 * generators.ts. A generator whose language is not on this machine is skipped, and says so.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import buildEdge from '../build-edge.ts';
import { type EdgeServer, startEdge } from '../edge/edge-server.ts';
import { goldenPath } from '../golden/golden.ts';
import { readScriptOptions } from '../read-script-options.ts';
import { type Generator, otherGenerators, quickGenerators } from './generators.ts';
import { isInstalled } from './run-tool.ts';

const values = readScriptOptions('Usage: npm run check:clients [-- --all]', {
  all: { type: 'boolean', default: false },
});
const generators = values.all ? [...quickGenerators, ...otherGenerators] : quickGenerators;
const counts = { passed: 0, failed: 0, skipped: 0 };

buildEdge();
const folder = await mkdtemp(join(tmpdir(), 'resnet-edge-clients-'));
const edge = await startEdge();
try {
  const document = join(folder, 'openapi.json');
  await writeFile(document, await (await edge.fetch('/openapi.json')).text());
  for (const [index, generator] of generators.entries()) {
    const outcome = await tryGenerator(generator, join(folder, String(index)), document, edge);
    console.log(`${generator.name}: ${outcome}`);
  }
} finally {
  await edge.stop();
  await rm(folder, { recursive: true, force: true });
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed === 0 ? 0 : 1;

async function tryGenerator(
  { needs, tryClient }: Generator,
  own: string,
  document: string,
  { url }: EdgeServer,
): Promise<string> {
  for (const command of needs) {
    if (await isInstalled(command)) continue;
    counts.skipped++;
    return `skipped, ${command} is not on this machine`;
  }
  try {
    await mkdir(own);
    const printed = await tryClient(own, document, [url, goldenPath('cat.jpg')]);
    if (printed === undefined) {
      counts.skipped++;
      return 'generated; not compiled, no compiler is on this machine';
    }
    if (printed !== 'Egyptian cat\nEgyptian cat') throw new Error(`printed ${JSON.stringify(printed)}`);
    counts.passed++;
    return 'generated, compiled, classified by bytes and by form';
  } catch (error) {
    counts.failed++;
    return `failed: ${error instanceof Error ? error.message : error}`;
  }
}
