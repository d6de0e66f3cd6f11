/**
 * `npm run shots`: a picture of every state of the page at 390 and 1280 px, light and dark, for people to look at, in
 * docs/shots. Two of them are part of the repository, for the README. Needs Chromium.
 */
import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { projectRoot } from '../../src/cli/paths.ts';
import buildEdge from '../build-edge.ts';
import { startEdge } from '../edge/edge-server.ts';
import { goldenPath } from '../golden/golden.ts';
import { readScriptOptions } from '../read-script-options.ts';
import { BrowserSession, executablePath } from './browser-session.ts';
import { makeFolder, makeVariants } from './photo-variants.ts';
import { lookStates, referenceStates, type ShotContext, teachStates } from './shot-states.ts';

const { only } = readScriptOptions(
  `Usage: npm run shots -- [--only TEXT]

Writes docs/shots/STATE-WIDTH-THEME.png.

  --only  the states whose name contains this text`,
  { only: { type: 'string', default: '' } },
);
if (executablePath === undefined) throw new Error('There is no Chromium on this machine.');
const folder = join(projectRoot, 'docs/shots');
await mkdir(folder, { recursive: true });
buildEdge();

const key = 'k'.repeat(32);
const sha256 = createHash('sha256').update(key).digest('hex');
const open = await startEdge({ vars: { PUBLIC_SCOPES: 'classify,teach', ANSWER_CACHE_SECONDS: '3600' } });
const closed = await startEdge({
  vars: { PUBLIC_SCOPES: '' },
  secrets: { API_KEYS: JSON.stringify([{ id: 'looks', sha256, scopes: ['classify'] }]) },
});
const photoFolder = await makeFolder();
const photos = {
  cats: await makeVariants(goldenPath('cat.jpg'), 'cat', 14, photoFolder),
  coffees: await makeVariants(goldenPath('coffee.png'), 'coffee', 12, photoFolder),
  rockets: await makeVariants(goldenPath('rocket.jpg'), 'rocket', 12, photoFolder),
};
const session = await BrowserSession.start();
const states = [
  ...Object.entries(lookStates).map(([name, arrange]) => [`look-${name}`, arrange] as const),
  ...Object.entries(teachStates).map(([name, arrange]) => [`teach-${name}`, arrange] as const),
  ...Object.entries(referenceStates),
].filter(([name]) => name.includes(only));

/** The README's pictures show a window; the others the whole page. */
const inReadme = ['look-done-1280-light', 'teach-learned-1280-dark'];

try {
  for (const [state, arrange] of states) {
    for (const width of [390, 1280]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        const name = `${state}-${width}-${colorScheme}`;
        const isWindow = inReadme.includes(name) || state === 'reference';
        const page = await session.newPage({
          viewport: { width, height: width < 600 ? 844 : 720 },
          colorScheme,
        });
        const context: ShotContext = { page, openUrl: open.url, privateUrl: closed.url, key, photos };
        await arrange(context);
        if (state !== 'reference') await page.evaluate(() => scrollTo(0, 0));
        await page.evaluate(() => {
          const ending = document
            .getAnimations()
            .filter(({ effect }) => effect?.getTiming().iterations !== Infinity);
          return Promise.all(ending.map((each) => each.finished.catch(() => undefined)));
        });
        const shot = await page.screenshot({ fullPage: !isWindow });
        await writeFile(
          join(folder, `${name}.png`),
          await sharp(shot).png({ palette: true, colours: 128, dither: 0.5, effort: 8 }).toBuffer(),
        );
        console.log(`docs/shots/${name}.png`);
        await page.context().close();
      }
    }
  }
} finally {
  await session.stop();
  await Promise.all([open.stop(), closed.stop()]);
  await rm(photoFolder, { recursive: true });
}
