import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EdgeServer, startEdge } from '../edge/edge-server.ts';
import { goldenPath } from '../golden/golden.ts';
import { findChromium } from './find-chromium.ts';

const executablePath = findChromium();
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describe.skipIf(executablePath === undefined)('the demo page in Chromium', () => {
  let edge: EdgeServer;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];
  const hosts = new Set<string>();

  beforeAll(async () => {
    edge = await startEdge();
    browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    await edge?.stop();
  });
  beforeEach(async () => {
    page = await browser.newPage();
    problems.length = 0;
    hosts.clear();
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    page.on('request', (request) => hosts.add(new URL(request.url()).host));
    await page.goto(edge.url);
    await page.waitForFunction(() => document.querySelectorAll('#model option').length > 0);
  });
  afterEach(() => page.close());

  /** What a person does who drags a file from the desktop. */
  async function dropFile(name: string, path: string): Promise<void> {
    const base64 = (await readFile(path)).toString('base64');
    await page.evaluate(
      ({ name, base64 }) => {
        const transfer = new DataTransfer();
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        transfer.items.add(new File([bytes], name));
        document
          .querySelector('#drop')!
          .dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: transfer }));
      },
      { name, base64 },
    );
  }
  async function expectAccessible(): Promise<void> {
    const violations = await page.evaluate(async (source) => {
      await new Function(source)();
      // biome-ignore lint/suspicious/noExplicitAny: axe leaves itself on the window.
      const { violations } = await (window as any).axe.run();
      return violations.map(({ id, nodes }: { id: string; nodes: { html: string }[] }) => [
        id,
        nodes[0]?.html,
      ]);
    }, axe);
    expect(violations).toEqual([]);
  }

  it('shows the label of a photo that is dropped on it, with bars, times and a command to copy', async () => {
    await dropFile("cat's.jpg", goldenPath('cat.jpg'));
    const heading = page.locator('.result h2');
    await expect.poll(() => heading.textContent()).toBe('Egyptian cat');
    expect(await page.locator('.result tr').count()).toBe(5 + 5);
    expect(await page.locator('.result').textContent()).toMatch(/inference.*ms/);
    expect(await page.locator('#curl').textContent()).toContain(`'@cat'\\''s.jpg'`);
    const width = await page
      .locator('.fill')
      .first()
      .evaluate((bar) => bar.getBoundingClientRect().width);
    expect(width).toBeGreaterThan(50);
    expect(problems).toEqual([]);
    expect([...hosts]).toEqual([new URL(edge.url).host, ''].filter((host) => hosts.has(host)));
  });

  it('says what is wrong with a file that is no picture', async () => {
    await dropFile('notes.txt', goldenPath('logits.json'));
    const alert = page.getByRole('alert');
    await expect.poll(() => alert.isVisible()).toBe(true);
    expect(await alert.textContent()).toMatch(/format/i);
    await expectVisibleProblem();
  });
  const expectVisibleProblem = async () =>
    expect(await page.locator('.problem').textContent()).toMatch(/format/i);

  it('takes several files from the chooser and counts them', async () => {
    const files = ['cat.jpg', 'coffee.png', 'logits.json', 'rocket.jpg'].map((name) => goldenPath(name));
    await page.locator('#files').setInputFiles(files);
    await expect.poll(() => page.locator('#status').textContent()).toBe('3 of 4 classified.');
    expect(await page.locator('.result').count()).toBe(4);
    expect(await page.locator('#progress').evaluate((bar) => (bar as HTMLProgressElement).value)).toBe(4);
  });

  it('can be used with the keyboard alone', async () => {
    const reached: (string | undefined)[] = [];
    for (let step = 0; step < 6; step++) {
      await page.keyboard.press('Tab');
      reached.push(await page.evaluate(() => document.activeElement?.id));
    }
    expect(reached).toEqual(expect.arrayContaining(['files', 'camera', 'model']));
  });

  it.each(['light', 'dark'] as const)(
    'has no accessibility violation that axe finds, %s',
    async (colorScheme) => {
      await page.close();
      // axe has to be evaluated, which the page's own policy forbids.
      page = await (await browser.newContext({ bypassCSP: true, colorScheme })).newPage();
      await page.goto(edge.url);
      await dropFile('cat.jpg', goldenPath('cat.jpg'));
      await expect.poll(() => page.locator('.result h2').textContent()).toBe('Egyptian cat');
      await expectAccessible();
      await dropFile('notes.txt', goldenPath('logits.json'));
      await expect.poll(() => page.getByRole('alert').isVisible()).toBe(true);
      await expectAccessible();
      const folder = process.env['SCREENSHOT_DIR'];
      if (folder) {
        await page.locator('#files').setInputFiles([goldenPath('cat.jpg'), goldenPath('coffee.png')]);
        await expect.poll(() => page.locator('#status').textContent()).toBe('2 of 2 classified.');
        await page.screenshot({ path: `${folder}/demo-${colorScheme}.png`, fullPage: true });
      }
    },
  );

  it('has an API reference that works without anybody else', async () => {
    await page.goto(`${edge.url}/docs`);
    await expect.poll(() => page.locator('.opblock').count()).toBeGreaterThan(10);
    expect(problems).toEqual([]);
    expect([...hosts].filter(Boolean)).toEqual([new URL(edge.url).host]);
  });
});
