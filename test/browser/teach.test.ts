import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EdgeServer, startEdge } from '../edge/edge-server.ts';
import { goldenPath } from '../golden/golden.ts';
import { BrowserSession, dropFile, executablePath, findViolations } from './browser-session.ts';
import { makeFolder, makeVariants } from './photo-variants.ts';

describe.skipIf(executablePath === undefined)('the tab Teach in Chromium', () => {
  let edge: EdgeServer;
  let session: BrowserSession;
  let page: Page;
  let folder: string;
  /** Seven views of each: six to learn from, one to ask about. */
  let cats: string[];
  let coffees: string[];

  beforeAll(async () => {
    folder = await makeFolder();
    cats = await makeVariants(goldenPath('cat.jpg'), 'cat', 7, folder);
    coffees = await makeVariants(goldenPath('coffee.png'), 'coffee', 7, folder);
    edge = await startEdge({ vars: { PUBLIC_SCOPES: 'classify,teach' } });
    session = await BrowserSession.start();
  });
  afterAll(async () => {
    await session?.stop();
    await edge?.stop();
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    session.forget();
    await open();
  });
  afterEach(() => page.context().close());

  async function open(options: BrowserContextOptions = {}): Promise<void> {
    page = await session.newPage(options);
    await page.goto(`${edge.url}/#teach`);
    await page.locator('#teach[data-view=new]').waitFor();
  }
  async function begin(name: string, ...classes: readonly [string, string]): Promise<void> {
    for (const [index, label] of classes.entries()) await page.getByLabel(`Class ${index + 1}`).fill(label);
    await page.getByLabel('A name for people').fill(name);
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByRole('heading', { name, level: 1 }).waitFor();
  }
  const addPhotos = (label: string, files: readonly string[]) =>
    page.getByLabel(`Add photos of ${label}`).setInputFiles([...files]);
  const card = (label: string) =>
    page.locator('.class-card').filter({ has: page.getByRole('heading', { name: label }) });
  /** The newest version's row. */
  const newestVersion = () =>
    page
      .locator('#versions tr')
      .evaluateAll(([row]) => [...(row?.children ?? [])].map((cell) => cell.textContent).join(' '));
  const hasLearned = (photos: number) => new RegExp(`^\\d+ ${photos} photos.* Answers now$`);
  async function tryPhoto(file: string): Promise<void> {
    await page.getByLabel('Choose a picture to try').setInputFiles(file);
    await page.locator('#try-body .bars').waitFor();
  }
  const tryTitle = () => page.locator('#try-title').textContent();

  it('learns two classes from twelve photos, and tells what the thirteenth is', async () => {
    await begin('Kitchen', 'cat', 'coffee');
    await addPhotos('cat', cats.slice(0, 3));
    await addPhotos('coffee', coffees.slice(0, 3));
    await expect.poll(newestVersion).toMatch(hasLearned(6));
    await addPhotos('cat', cats.slice(3, 6));
    await addPhotos('coffee', coffees.slice(3, 6));
    await expect.poll(newestVersion).toMatch(hasLearned(12));
    await expect
      .poll(() => page.locator('#estimate').textContent())
      .toMatch(/%.*learned from 12 photos.*between/s);
    expect(await page.locator('.estimate-chart li').count()).toBeGreaterThan(0);
    await expect.poll(() => page.locator('#estimate-advice').textContent()).toContain('would help most');

    await tryPhoto(cats[6]!);
    expect(await tryTitle()).toBe('cat');
    await tryPhoto(coffees[6]!);
    await expect.poll(tryTitle).toBe('coffee');
    const curl = (await page.locator('#publish-code').textContent()) ?? '';
    const [, model] = /model=(clf-[a-z2-7]+)'$/.exec(curl) ?? [];
    const answer = await edge.fetch(`/v1/classify?model=${model}`, {
      method: 'POST',
      body: await readFile(cats[6]!),
    });
    expect(await answer.json()).toMatchObject({ predictions: [{ label: 'cat' }, { label: 'coffee' }] });
    expect(session.problems).toEqual([]);
  });

  it('says "none of these" where the service does', async () => {
    await begin('Two', 'cat', 'coffee');
    await addPhotos('cat', cats.slice(0, 1));
    await addPhotos('coffee', coffees.slice(0, 1));
    await expect.poll(newestVersion).toMatch(hasLearned(2));
    await page.route('**/v1/classify*', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), unknown: true } });
    });
    await tryPhoto(goldenPath('rocket.jpg'));
    expect(await tryTitle()).toBe('None of these');
    expect(await page.locator('#try-body').textContent()).toContain('none of your classes');
  });

  it('says why a version could not be learned, and learns again', async () => {
    await begin('Bad luck', 'cat', 'coffee');
    let hasFailed = false;
    await page.route(/\/v1\/classifiers\/clf-[a-z2-7]+$/, async (route) => {
      const response = await route.fetch();
      const body = (await response.json()) as { versions: object[] };
      const error = { code: 'internal', detail: 'The isolate was gone.' };
      const failed = { version: 99, state: 'failed', classes: 2, examples: 2, accuracy: null, error };
      const isFailure = !hasFailed && body.versions.length > 0;
      await route.fulfill({
        response,
        json: isFailure ? { ...body, versions: [failed, ...body.versions] } : body,
      });
    });
    await addPhotos('cat', cats.slice(0, 1));
    await addPhotos('coffee', coffees.slice(0, 1));
    await expect.poll(() => page.locator('#estimate').textContent()).toContain('The isolate was gone.');
    hasFailed = true;
    await page.getByRole('button', { name: 'Learn again' }).click();
    await expect.poll(newestVersion).toMatch(hasLearned(2));
    expect(await page.getByRole('button', { name: 'Learn again' }).count()).toBe(0);
  });

  it('survives a reload, thumbnails included', async () => {
    await begin('After the night', 'cat', 'coffee');
    await addPhotos('cat', cats.slice(0, 2));
    await addPhotos('coffee', coffees.slice(0, 2));
    await expect.poll(newestVersion).toMatch(hasLearned(4));
    await page.reload();
    await expect.poll(() => page.locator('#lesson-name').textContent()).toBe('After the night');
    await expect.poll(() => page.locator('.sheet img').count()).toBe(4);
    await expect.poll(newestVersion).toMatch(hasLearned(4));
  });

  it('removes a photo and a class, takes photos that are dropped, and names those that are no pictures', async () => {
    await begin('Room', 'cat', 'coffee');
    await dropFile(page, '.class-card', 'cat-0.jpg', cats[0]!);
    await expect.poll(() => card('cat').locator('.sheet li').count()).toBe(1);
    await addPhotos('cat', [cats[1]!, goldenPath('logits.json')]);
    await expect
      .poll(() => card('cat').textContent())
      .toMatch(/2 photos.*logits\.json: This file is not a picture/);
    await page.getByRole('button', { name: 'Remove cat-0.jpg from cat' }).press('Enter');
    await expect.poll(() => card('cat').locator('.sheet li').count()).toBe(1);
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe(
      'Remove cat-1.jpg from cat',
    );

    await page.getByLabel('Another class').fill('rocket');
    await page.keyboard.press('Enter');
    await addPhotos('rocket', [goldenPath('rocket.jpg')]);
    await expect.poll(newestVersion).toMatch(hasLearned(2));
    await page.getByRole('button', { name: 'Remove class rocket' }).click();
    await page.getByRole('button', { name: 'Remove it' }).click();
    await expect.poll(() => card('rocket').count()).toBe(0);
    await expect.poll(() => page.locator('#stored-count').textContent()).toBe('1 photo');
  });

  it('shows a doubtful photo with the class that it looks like', async () => {
    await begin('Mixed up', 'cat', 'coffee');
    await addPhotos('cat', [...cats.slice(0, 6), coffees[6]!]);
    await addPhotos('coffee', coffees.slice(0, 6));
    await expect.poll(newestVersion).toMatch(hasLearned(13));
    const doubtful = page.locator('#doubtful');
    await expect.poll(() => doubtful.textContent()).toContain('In cat, looks like coffee');
    await doubtful.getByRole('button', { name: 'Remove coffee-6.jpg from cat' }).click();
    await expect.poll(newestVersion).toMatch(hasLearned(12));
    await expect.poll(() => doubtful.isVisible()).toBe(false);
  });

  it('goes back to an earlier version, renames, and deletes', async () => {
    await begin('First name', 'cat', 'coffee');
    await addPhotos('cat', cats.slice(0, 1));
    await addPhotos('coffee', coffees.slice(0, 1));
    await expect.poll(newestVersion).toMatch(hasLearned(2));
    await addPhotos('cat', cats.slice(1, 2));
    await expect.poll(newestVersion).toMatch(hasLearned(3));
    const served = await page.locator('#versions tr').last().locator('th').textContent();
    await page.getByRole('button', { name: `Serve version ${served}` }).click();
    await expect.poll(() => page.locator('#versions tr').last().textContent()).toContain('Answers now');

    await page.getByLabel('Name for people', { exact: true }).fill('Second name');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('#lesson-name').textContent()).toBe('Second name');

    const id = await page.evaluate(
      () => (JSON.parse(localStorage.getItem('resnet-edge.classifiers') ?? '[]') as { id: string }[])[0]?.id,
    );
    await page.getByRole('button', { name: 'Delete this classifier' }).click();
    await page.keyboard.press('Escape');
    expect((await edge.fetch(`/v1/classifiers/${id}`)).status).toBe(200);
    await page.getByRole('button', { name: 'Delete this classifier' }).click();
    await page.getByRole('button', { name: 'Delete it' }).click();
    await page.locator('#teach[data-view=new]').waitFor();
    expect((await edge.fetch(`/v1/classifiers/${id}`)).status).toBe(404);
  });

  it('films photos into a class, and watches the camera against the model', async () => {
    await begin('Film', 'screen', 'cat');
    await page.getByRole('button', { name: 'Film screen' }).click();
    await page.getByRole('button', { name: 'Start filming' }).click();
    await expect.poll(() => page.locator('.camera-status').textContent()).toMatch(/^[2-9] photos/);
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Close' }).click();
    await expect.poll(() => card('screen').locator('.sheet li').count()).toBeGreaterThan(1);
    await addPhotos('cat', cats.slice(0, 2));
    await page.getByRole('button', { name: 'Live camera' }).click();
    await expect.poll(tryTitle).toBe('screen');
    await page.getByRole('button', { name: 'Stop the camera' }).click();
    expect(await page.getByRole('button', { name: 'Live camera' }).count()).toBe(1);
  });

  it('can be used with the keyboard alone, and says in words what happens', async () => {
    await page.locator('#tab-teach').focus();
    await page.keyboard.press('Tab'); // API
    for (const label of ['cat', 'coffee']) {
      await page.keyboard.press('Tab');
      await page.keyboard.type(label);
    }
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('#lesson-name').textContent()).toBe('cat or coffee');
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label')))
      .toBe('Add photos of cat');
    await addPhotos('cat', cats.slice(0, 1));
    await expect.poll(() => card('cat').getByRole('status').textContent()).toBe('1 photo added.');
    await addPhotos('coffee', coffees.slice(0, 1));
    await expect.poll(() => page.locator('#announcer').textContent()).toMatch(/^Version \d+ is ready/);
    await tryPhoto(cats[1]!);
    await expect.poll(() => page.locator('#announcer').textContent()).toContain('cat.');
  });

  it('sends a large photo as a smaller copy, under its own name', async () => {
    await begin('Phone', 'cat', 'coffee');
    const large = join(folder, 'IMG_0001.JPG');
    const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const;
    await sharp({ create: { width: 3000, height: 2000, channels: 3, background: '#000', noise } })
      .jpeg({ quality: 90 })
      .toFile(large);
    const { size } = await stat(large);
    expect(size).toBeGreaterThan(2_000_000);
    const sent = page.waitForRequest(
      (request) => request.method() === 'POST' && request.url().endsWith('/examples'),
    );
    await addPhotos('cat', [large]);
    const headers = await (await sent).allHeaders();
    expect(Number(headers['content-length'])).toBeLessThan(size / 2);
    await expect.poll(() => card('cat').locator('img').getAttribute('alt')).toBe('IMG_0001.JPG');
  });

  it('asks for two names before it begins', async () => {
    await page.getByLabel('Class 1').fill('cat');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.getByRole('alert').textContent()).toContain('two classes or more');
    await page.getByLabel('Class 2').fill('cat');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.getByRole('alert').textContent()).toContain('same name');
  });

  it.each(['light', 'dark'] as const)(
    'has no accessibility violation that axe finds, %s',
    async (colorScheme) => {
      await page.context().close();
      await open({ bypassCSP: true, colorScheme });
      expect(await findViolations(page)).toEqual([]);
      await begin('Kitchen', 'cat', 'coffee');
      expect(await findViolations(page)).toEqual([]);
      await addPhotos('cat', [...cats.slice(0, 6), coffees[6]!, goldenPath('logits.json')]);
      await addPhotos('coffee', coffees.slice(0, 6));
      await expect.poll(newestVersion).toMatch(hasLearned(13));
      await page.locator('#doubtful').waitFor();
      await tryPhoto(cats[6]!);
      expect(await findViolations(page)).toEqual([]);
      await page.getByLabel('Name for people', { exact: true }).fill('Animals of the neighbourhood');
      await page.keyboard.press('Enter');
      await expect.poll(() => page.locator('#lesson-name').textContent()).toContain('neighbourhood');
      for (const width of [320, 768, 1920]) {
        await page.setViewportSize({ width, height: 800 });
        expect(
          await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
        ).toBeLessThanOrEqual(0);
      }
      await page.getByRole('button', { name: 'Delete this classifier' }).click();
      expect(await findViolations(page)).toEqual([]);
    },
  );
});
