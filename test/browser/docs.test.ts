import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EdgeServer, startEdge } from '../edge/edge-server.ts';
import { findChromium } from './find-chromium.ts';

const executablePath = findChromium();

describe.skipIf(executablePath === undefined)('the API reference in Chromium', () => {
  let edge: EdgeServer;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    edge = await startEdge();
    browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
    page = await browser.newPage();
  });
  afterAll(async () => {
    await browser?.close();
    await edge?.stop();
  });

  it.each([
    ['classify', 'classifyJson', '"label": "'],
    ['batches', 'createBatch', '"status": "'],
  ])('"Try it out" sends the example of %s/%s as it stands', async (tag, operation, answer) => {
    await page.goto(`${edge.url}/docs#/${tag}/${operation}`);
    await page.reload();
    const block = page.locator(`#operations-${tag}-${operation}`);
    await block.getByRole('button', { name: 'Try it out' }).click();
    await block.getByRole('button', { name: 'Execute' }).click();
    const response = block.locator('.live-responses-table tbody');
    await expect.poll(() => response.textContent(), { timeout: 30_000 }).toContain(answer);
  });
});
