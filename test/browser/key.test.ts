import { createHash } from 'node:crypto';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EdgeServer, startEdge } from '../edge/edge-server.ts';
import { BrowserSession, executablePath, findViolations } from './browser-session.ts';

const looks = 'k'.repeat(32);
const teaches = 't'.repeat(32);
const toRow = (id: string, key: string, scopes: readonly string[]) => ({
  id,
  sha256: createHash('sha256').update(key).digest('hex'),
  scopes,
});

describe.skipIf(executablePath === undefined)('the page of a private deployment, in Chromium', () => {
  let edge: EdgeServer;
  let session: BrowserSession;
  let page: Page;
  beforeAll(async () => {
    const keys = [toRow('looks', looks, ['classify']), toRow('teaches', teaches, ['classify', 'teach'])];
    edge = await startEdge({
      vars: { PUBLIC_SCOPES: '' },
      secrets: { API_KEYS: JSON.stringify(keys), UPLOAD_TOKEN_SECRET: 's'.repeat(32) },
    });
    session = await BrowserSession.start();
  });
  afterAll(async () => {
    await session?.stop();
    await edge?.stop();
  });
  beforeEach(async () => {
    page = await session.newPage({ bypassCSP: true });
    await page.goto(edge.url);
    await page.getByRole('heading', { name: 'This one is private.' }).waitFor();
  });
  afterEach(() => page.context().close());

  async function giveKey(key: string): Promise<void> {
    await page.getByLabel('API key or upload token').fill(key);
    await page.keyboard.press('Enter');
  }
  async function askAboutCoffee(): Promise<void> {
    await page.getByRole('button', { name: 'Sample photo: Coffee' }).click();
    await expect.poll(() => page.locator('#answer-title').textContent()).toBe('espresso');
  }

  it('asks for a key, says when it is wrong, and keeps the right one in this tab alone', async () => {
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('key');
    expect(await findViolations(page)).toEqual([]);
    await giveKey('wrong');
    await expect.poll(() => page.locator('#key-error').textContent()).toContain('does not accept this key');
    await giveKey(looks);
    await page.waitForFunction(() => 'ready' in document.body.dataset);
    await askAboutCoffee();
    expect(await page.locator('#code').textContent()).toContain('Bearer $KEY');
    expect(await page.locator('body').textContent()).not.toContain(looks);
    expect(await page.evaluate(() => JSON.stringify([{ ...localStorage }, document.cookie]))).not.toContain(
      looks,
    );

    await page.reload();
    await askAboutCoffee();
    const other = await page.context().newPage();
    await other.goto(edge.url);
    await other.getByRole('heading', { name: 'This one is private.' }).waitFor();
    await page.getByRole('button', { name: 'Forget it' }).click();
    await page.getByRole('heading', { name: 'This one is private.' }).waitFor();
  });

  it('takes an upload token that is bound to this page', async () => {
    const response = await edge.fetch('/v1/upload-tokens', {
      method: 'POST',
      headers: { authorization: `Bearer ${looks}`, 'content-type': 'application/json' },
      body: JSON.stringify({ expires_in_seconds: 600, origin: edge.url }),
    });
    await giveKey(((await response.json()) as { token: string }).token);
    await page.waitForFunction(() => 'ready' in document.body.dataset);
    await askAboutCoffee();
  });

  it('says what a key may not do', async () => {
    await giveKey(looks);
    await page.waitForFunction(() => 'ready' in document.body.dataset);
    await page.getByRole('tab', { name: 'Teach' }).click();
    await expect
      .poll(() => page.getByRole('alert').first().textContent())
      .toContain('This key may not do that.');
  });

  it('lists the classifiers of the key, in whatever browser', async () => {
    const response = await edge.fetch('/v1/classifiers', {
      method: 'POST',
      headers: { authorization: `Bearer ${teaches}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'From elsewhere', classes: ['a', 'b'] }),
    });
    expect(response.status).toBe(201);
    await giveKey(teaches);
    await page.waitForFunction(() => 'ready' in document.body.dataset);
    await page.getByRole('tab', { name: 'Teach' }).click();
    await expect.poll(() => page.locator('#lesson-name').textContent()).toBe('From elsewhere');
  });
});
