/**
 * `npm run shots`: pictures of the page for people to look at, in docs/shots. Needs Chromium.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { projectRoot } from '../../src/cli/paths.ts';
import buildEdge from '../build-edge.ts';
import { startEdge } from '../edge/edge-server.ts';
import { goldenPath } from '../golden/golden.ts';
import { readScriptOptions } from '../read-script-options.ts';
import { findChromium } from './find-chromium.ts';

readScriptOptions('Usage: npm run shots', {});
const executablePath = findChromium();
if (executablePath === undefined) throw new Error('There is no Chromium on this machine.');
const folder = join(projectRoot, 'docs/shots');
await mkdir(folder, { recursive: true });
buildEdge();
const edge = await startEdge();
// A first answer loads the model; what people see afterwards is the second.
for (const name of ['coffee.png', 'cat.jpg']) {
  const body = new Uint8Array(await readFile(goldenPath(name)));
  await edge.fetch('/v1/classify', { method: 'POST', body });
}
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(edge.url);
  await page.locator('input[type=file]').first().setInputFiles(goldenPath('cat.jpg'));
  await page.locator('.result .fill').first().waitFor();
  await page.screenshot({ path: join(folder, 'page.png') });
  console.log(join(folder, 'page.png'));
} finally {
  await browser.close();
  await edge.stop();
}
