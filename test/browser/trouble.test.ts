import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EdgeServer, startEdge } from '../edge/edge-server.ts';
import { goldenPath } from '../golden/golden.ts';
import { BrowserSession, dropFile, executablePath } from './browser-session.ts';

/** What an isolate answers that has too much to do. */
const overloaded = {
  status: 503,
  headers: { 'retry-after': '2' },
  contentType: 'application/problem+json',
  body: JSON.stringify({ status: 503, code: 'overloaded', detail: 'This isolate has too much to do.' }),
};

describe.skipIf(executablePath === undefined)('the page in trouble, in Chromium', () => {
  let edge: EdgeServer;
  let session: BrowserSession;
  let page: Page;
  beforeAll(async () => {
    edge = await startEdge({ vars: { PUBLIC_SCOPES: 'classify,teach' } });
    session = await BrowserSession.start();
  });
  afterAll(async () => {
    await session?.stop();
    await edge?.stop();
  });
  beforeEach(async () => {
    page = await session.newPage();
  });
  afterEach(() => page.context().close());
  async function open(): Promise<void> {
    await page.goto(edge.url);
    await page.waitForFunction(() => 'ready' in document.body.dataset);
  }
  const title = () => page.locator('#answer-title').textContent();
  const drop = () => dropFile(page, '#stage', 'cat.jpg', goldenPath('cat.jpg'));

  /** Every text that the element had since: what was counted is not missed, however slow this machine is. */
  async function record(selector: string): Promise<() => Promise<string[]>> {
    await page.evaluate((watched) => {
      const texts: string[] = [];
      const note = () => {
        const text = document.querySelector(watched)?.textContent ?? '';
        if (texts.at(-1) !== text) texts.push(text);
      };
      new MutationObserver(note).observe(document.body, {
        subtree: true,
        childList: true,
        characterData: true,
      });
      Object.assign(window, { texts });
    }, selector);
    return async () => await page.evaluate(() => (window as unknown as { texts: string[] }).texts);
  }

  it('counts Retry-After down, and asks again by itself', async () => {
    await open();
    await page.route('**/v1/classify*', (route) => route.fulfill(overloaded), { times: 1 });
    const readTexts = await record('#hold-text');
    await drop();
    await expect.poll(title).toBe('Egyptian cat');
    const texts = await readTexts();
    expect(texts).toEqual(expect.arrayContaining(['It is asked again in 2 s.', 'It is asked again in 1 s.']));
    expect(await page.locator('#hold').isVisible()).toBe(false);
  });

  it('waits for a busy service also when it opens', async () => {
    await page.route('**/v1/models', (route) => route.fulfill(overloaded), { times: 1 });
    await page.goto(edge.url);
    await expect.poll(() => page.locator('#notice').textContent()).toContain('The service is busy.');
    await page.waitForFunction(() => 'ready' in document.body.dataset);
    expect(await page.locator('#notice').isVisible()).toBe(false);
  });

  it('keeps pictures while there is no network, and sends them when it is back', async () => {
    await open();
    await page.context().setOffline(true);
    await expect.poll(() => page.locator('#offline').textContent()).toContain('You are offline.');
    await drop();
    await expect.poll(title).toBe('You are offline.');
    await page.context().setOffline(false);
    await expect.poll(title).toBe('Egyptian cat');
    expect(await page.locator('#offline').isVisible()).toBe(false);
  });

  it('says that a service does not answer, and tries again when told to', async () => {
    await open();
    await page.route('**/v1/classify*', (route) => route.abort('connectionrefused'), { times: 1 });
    await drop();
    await expect.poll(() => page.getByRole('alert').textContent()).toContain('The service does not answer.');
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect.poll(title).toBe('Egyptian cat');
  });

  it('says so if the answer is not one of this API', async () => {
    await open();
    await page.route('**/v1/classify*', (route) => route.fulfill({ json: { surprise: true } }), { times: 1 });
    await drop();
    await expect.poll(() => page.getByRole('alert').textContent()).toContain('does not understand');
  });

  it('goes on learning when the service was busy', async () => {
    await page.goto(`${edge.url}/#teach`);
    await page.getByLabel('Class 1').fill('cat');
    await page.getByLabel('Class 2').fill('coffee');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByLabel('Add photos of cat').waitFor();
    await page.route('**/examples', (route) => route.fulfill(overloaded), { times: 1 });
    const readTexts = await record('.class-status');
    await page.getByLabel('Add photos of cat').setInputFiles(goldenPath('cat.jpg'));
    await expect.poll(() => page.locator('.class-status').first().textContent()).toBe('1 photo added.');
    expect((await readTexts()).join('\n')).toContain('The service is busy.');
  });
});
