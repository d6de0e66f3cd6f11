import { execFile } from 'node:child_process';
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EdgeServer, startEdge } from '../edge/edge-server.ts';
import { goldenPath } from '../golden/golden.ts';
import { BrowserSession, dropFile, executablePath, pressTabs } from './browser-session.ts';
import { makeFolder } from './photo-variants.ts';

const run = promisify(execFile);
const heic = new URL('../fixtures/near-cases/odd-clap.heic', import.meta.url).pathname;

describe.skipIf(executablePath === undefined)('the tab Look in Chromium', () => {
  let edge: EdgeServer;
  let photos: Server;
  let photosUrl: string;
  let session: BrowserSession;
  let page: Page;

  beforeAll(async () => {
    photos = createServer(async (_, response) => response.end(await readFile(goldenPath('cat.jpg'))));
    await new Promise<void>((resolve) => photos.listen(0, '127.0.0.1', resolve));
    photosUrl = `http://127.0.0.1:${(photos.address() as AddressInfo).port}`;
    edge = await startEdge({ vars: { ANSWER_CACHE_SECONDS: '3600', IMAGE_URL_ALLOW: photosUrl } });
    session = await BrowserSession.start();
  });
  afterAll(async () => {
    await session?.stop();
    await edge?.stop();
    photos?.close();
  });
  beforeEach(async () => {
    session.forget();
    await open();
  });
  afterEach(() => page.context().close());

  async function open(options: BrowserContextOptions = {}): Promise<void> {
    page = await session.newPage(options);
    await page.goto(edge.url);
    await page.waitForFunction(() => 'ready' in document.body.dataset);
  }
  const drop = (name: string, path: string) => dropFile(page, '#stage', name, path);
  const title = () => page.locator('#answer-title').textContent();
  const chooseSample = (name: string) => page.getByRole('button', { name: `Sample photo: ${name}` }).click();

  it('has a name, an icon, a sentence, and samples that are one click away', async () => {
    expect(await page.title()).toContain('resnet-edge');
    expect(
      await page.locator('.brand img').evaluate((image) => (image as HTMLImageElement).naturalWidth),
    ).toBeGreaterThan(0);
    expect(await page.locator('.sentence').first().textContent()).toContain('forgets');
    await chooseSample('Cat');
    await expect.poll(title).toBe('Egyptian cat');
    for (const sample of ['Coffee', 'Rocket', 'Dandelion']) await chooseSample(sample);
    await expect.poll(() => page.locator('#progress-text').textContent()).toBe('4 of 4 pictures answered');
    expect(await page.locator('.sample:visible').count()).toBe(0);
    expect(session.problems).toEqual([]);
  });

  it('shows the answer of a photo that is dropped on it: scores, times, and the part that the model sees', async () => {
    await drop("cat's.jpg", goldenPath('cat.jpg'));
    await expect.poll(title).toBe('Egyptian cat');
    expect(await page.locator('.scores tr').count()).toBe(5);
    expect(await page.locator('.scores tr').first().textContent()).toMatch(/Egyptian cat.*46 %/);
    expect(await page.locator('.waterfall').textContent()).toMatch(/inference.*ms/);
    expect(await page.locator('#code').textContent()).toContain(`'@cat'\\''s.jpg'`);
    const [crop, picture] = await Promise.all(
      ['#figure .crop', '#figure img'].map(async (selector) => (await page.locator(selector).boundingBox())!),
    );
    expect(crop!.width / picture!.height).toBeCloseTo(224 / 256, 2);
    expect(session.problems).toEqual([]);
    expect([...session.hosts].filter(Boolean)).toEqual([new URL(edge.url).host]);
  });

  it('says that an answer is remembered, and computes it again', async () => {
    for (let time = 0; time < 2; time++) {
      await drop('coffee.png', goldenPath('coffee.png'));
      await expect.poll(title).toBe('espresso');
      await page.waitForFunction(
        () => document.querySelector('#answer')?.getAttribute('data-state') === 'done',
      );
    }
    const remembered = page.locator('.remembered');
    await expect.poll(() => remembered.textContent()).toContain('remembered this answer');
    await remembered.getByRole('button').click();
    await expect.poll(() => page.locator('.waterfall').textContent()).toContain('inference');
    expect(await remembered.count()).toBe(0);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('answer-title');
  });

  it('says what is wrong with a file that is no picture, and what to do, and offers no code', async () => {
    await drop('notes.txt', goldenPath('logits.json'));
    const alert = page.getByRole('alert');
    await expect.poll(() => alert.textContent()).toMatch(/not a picture.*It reads JPEG/);
    expect(await title()).toBe('No answer');
    expect(await page.locator('#snippets').isVisible()).toBe(false);
  });

  it('says so if none of the classes reaches its threshold', async () => {
    await page.route('**/v1/classify*', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), predictions: [] } });
    });
    await drop('cat.jpg', goldenPath('cat.jpg'));
    await expect.poll(title).toBe('None of these');
    expect(await page.locator('#snippets').isVisible()).toBe(true);
  });

  it('takes several files, counts them, and shows each when it is chosen', async () => {
    const files = ['cat.jpg', 'coffee.png', 'logits.json', 'rocket.jpg'].map((name) => goldenPath(name));
    await page.locator('#files').setInputFiles(files);
    await expect.poll(() => page.locator('#progress-text').textContent()).toBe('3 of 4 pictures answered');
    await expect.poll(title).toBe('Egyptian cat');
    await page.getByRole('button', { name: /^coffee.png: espresso/ }).click();
    expect(await title()).toBe('espresso');
    await page.getByRole('button', { name: /^logits.json: No answer/ }).click();
    expect(await title()).toBe('No answer');
  });

  it('draws a placeholder for a format that the browser cannot show, and answers all the same', async () => {
    await drop('phone.heic', heic);
    await expect
      .poll(() => page.locator('#picture .drawing').textContent())
      .toContain('cannot show phone.heic');
    await expect.poll(() => page.locator('#answer').getAttribute('data-state')).toBe('done');
    expect(await page.locator('#answer-facts').textContent()).toContain('HEIC');
  });

  it('has the service fetch an address, and asks no other host itself', async () => {
    await page.locator('#url').fill(`${photosUrl}/there/cat.jpg`);
    await page.keyboard.press('Enter');
    await expect.poll(title).toBe('Egyptian cat');
    expect(await page.locator('#picture .drawing').textContent()).toContain('fetched by the service');
    expect(await page.locator('#code').textContent()).toContain('"url":');
    expect([...session.hosts].filter(Boolean)).toEqual([new URL(edge.url).host]);
    await page.locator('#url').fill('http://192.168.0.1/cat.jpg');
    await page.keyboard.press('Enter');
    await expect
      .poll(() => page.getByRole('alert').textContent())
      .toContain('does not fetch from this address');
  });

  it('takes a pasted picture and a photo of the camera', async () => {
    const base64 = (await readFile(goldenPath('coffee.png'))).toString('base64');
    await page.evaluate((encoded) => {
      const data = new DataTransfer();
      const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
      data.items.add(new File([bytes], 'image.png', { type: 'image/png' }));
      document.body.dispatchEvent(new ClipboardEvent('paste', { bubbles: true, clipboardData: data }));
    }, base64);
    await expect.poll(title).toBe('espresso');
    await page.getByRole('button', { name: 'Camera' }).click();
    await page.getByRole('button', { name: 'Take the photo' }).click();
    await expect.poll(() => page.locator('#answer-facts').textContent()).toMatch(/camera .*JPEG/);
    expect(await page.locator('dialog').count()).toBe(0);
  });

  it('offers the camera only where there is one', async () => {
    await page.context().close();
    page = await session.newPage();
    await page.addInitScript(() => {
      Object.defineProperty(navigator, 'mediaDevices', { value: undefined });
    });
    await page.goto(edge.url);
    await page.waitForFunction(() => 'ready' in document.body.dataset);
    expect(await page.getByRole('button', { name: 'Camera' }).count()).toBe(0);
  });

  it('shows code that works: curl, JavaScript, Python, and the JSON itself', async () => {
    const folder = await makeFolder();
    try {
      await copyFile(goldenPath('cat.jpg'), join(folder, 'cat.jpg'));
      await drop('cat.jpg', goldenPath('cat.jpg'));
      await expect.poll(title).toBe('Egyptian cat');
      const read = async (language: string) => {
        await page.getByRole('tab', { name: language, exact: true }).click();
        return (await page.locator('#code').textContent()) ?? '';
      };
      expect(JSON.parse(await read('JSON')).predictions[0].label).toBe('Egyptian cat');
      await writeFile(join(folder, 'ask.mjs'), await read('JavaScript'));
      await writeFile(join(folder, 'ask.py'), await read('Python'));
      const commands = [
        ['sh', '-c', await read('curl')],
        ['node', 'ask.mjs'],
        ['python3', 'ask.py'],
      ] as const;
      for (const [program, ...options] of commands) {
        if (!(await isThere(program === 'sh' ? 'curl' : program))) continue;
        const { stdout } = await run(program, options, { cwd: folder });
        expect(stdout, program).toContain('Egyptian cat');
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('shows the card of the model', async () => {
    const card = page.locator('#model-card');
    await expect.poll(() => card.textContent()).toMatch(/1,000 classes.*at first guess.*at the edge.*MIT/);
  });

  it('can be used with the keyboard alone', async () => {
    const reached = await pressTabs(page, 12);
    expect(reached).toEqual(expect.arrayContaining(['tab-look', 'files', 'camera', 'url']));
    await page.getByRole('button', { name: 'Sample photo: Coffee' }).focus();
    await page.keyboard.press('Enter');
    await expect.poll(title).toBe('espresso');
    // The sample has become one of the pictures, and the focus went with it.
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-current'))).toBe('true');
    await page.locator('#tab-look').focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('#teach').isVisible()).toBe(true);
    await expect.poll(() => page.locator('#announcer').textContent()).toContain('espresso');
  });

  it('asks another model about every picture when it is chosen', async () => {
    await page.route('**/v1/models', async (route) => {
      const response = await route.fetch();
      const { models } = (await response.json()) as { models: object[] };
      const other = { ...models[0], name: 'other', default: false };
      await route.fulfill({ response, json: { models: [...models, other] } });
    });
    await page.route('**/v1/models/other', (route) =>
      route.fulfill({ status: 503, json: { code: 'model_unavailable' } }),
    );
    await page.route('**/v1/classify?model=other', async (route) => {
      const answer = {
        model: 'other',
        model_version: '1',
        tier: 'edge',
        image: { format: 'jpeg', width: 1, height: 1 },
      };
      await route.fulfill({ json: { ...answer, predictions: [{ label: 'teapot', score: 1 }] } });
    });
    await page.reload();
    await page.waitForFunction(() => 'ready' in document.body.dataset);
    await drop('cat.jpg', goldenPath('cat.jpg'));
    await expect.poll(title).toBe('Egyptian cat');
    await page.getByLabel('Model', { exact: true }).selectOption('other');
    await expect.poll(title).toBe('teapot');
    expect(await page.locator('#code').textContent()).toContain('model=other');
    await expect.poll(() => page.locator('#model-card').textContent()).toContain('not there at the moment');
  });
});

async function isThere(program: string): Promise<boolean> {
  return await run('sh', ['-c', `command -v ${program}`]).then(
    () => true,
    () => false,
  );
}
