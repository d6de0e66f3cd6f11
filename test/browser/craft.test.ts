import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EdgeServer, startEdge } from '../edge/edge-server.ts';
import { goldenPath } from '../golden/golden.ts';
import { BrowserSession, dropFile, executablePath, findViolations } from './browser-session.ts';

/** What does not depend on what the answer is: layout, motion, widths, accessibility, policy. */
describe.skipIf(executablePath === undefined)('the craft of the page in Chromium', () => {
  let edge: EdgeServer;
  let session: BrowserSession;
  let page: Page;

  beforeAll(async () => {
    edge = await startEdge();
    session = await BrowserSession.start();
  });
  afterAll(async () => {
    await session?.stop();
    await edge?.stop();
  });
  beforeEach(async () => await open());
  afterEach(() => page.context().close());

  async function open(options: BrowserContextOptions = {}): Promise<void> {
    page = await session.newPage(options);
    await page.goto(edge.url);
    await page.waitForFunction(() => 'ready' in document.body.dataset);
  }
  const drop = (name: string, path: string) => dropFile(page, '#stage', name, path);
  const title = () => page.locator('#answer-title').textContent();
  const chooseSample = (name: string) => page.getByRole('button', { name: `Sample photo: ${name}` }).click();

  it('does not jump when the answer comes, and moves nothing but by transform and opacity', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route('**/v1/classify*', async (route) => {
      await held;
      await route.continue();
    });
    await drop('cat.jpg', goldenPath('cat.jpg'));
    await expect.poll(title).toBe('Looking…');
    await page.locator('#figure.sized').waitFor();
    const selectors = [
      '#answer-title',
      '#answer-facts',
      '.scores',
      '.scores tr:last-child',
      '#picture',
      '#strip',
    ];
    const measure = () =>
      page.evaluate(
        (all) => all.map((selector) => document.querySelector(selector)?.getBoundingClientRect().toJSON()),
        selectors,
      );
    const before = await measure();
    const animated = await page.evaluate(() =>
      document
        .getAnimations()
        .flatMap(({ effect }) =>
          effect instanceof KeyframeEffect
            ? effect.getKeyframes().flatMap((frame) => Object.keys(frame))
            : [],
        ),
    );
    const timing = ['offset', 'computedOffset', 'easing', 'composite'];
    expect(new Set(animated.filter((key) => !timing.includes(key)))).toEqual(
      new Set(['transform', 'opacity']),
    );
    release();
    await expect.poll(title).toBe('Egyptian cat');
    expect(await measure()).toEqual(before);
  });

  it('stands still for people who want that', async () => {
    await page.context().close();
    await open({ reducedMotion: 'reduce' });
    await page.route('**/v1/classify*', () => {});
    await drop('cat.jpg', goldenPath('cat.jpg'));
    await expect.poll(title).toBe('Looking…');
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
  });

  it.each([320, 390, 768, 1280, 1920])('fits a window of %i px', async (width) => {
    await page.setViewportSize({ width, height: 800 });
    await chooseSample('Cat');
    await expect.poll(title).toBe('Egyptian cat');
    for (const tab of ['#tab-look', '#tab-teach']) {
      await page.locator(tab).click();
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow, tab).toBeLessThanOrEqual(0);
    }
  });

  it.each(['light', 'dark'] as const)(
    'has no accessibility violation that axe finds, %s',
    async (colorScheme) => {
      await page.context().close();
      // axe has to be evaluated, which the page's own policy forbids.
      await open({ bypassCSP: true, colorScheme });
      expect(await findViolations(page)).toEqual([]);
      await drop('cat.jpg', goldenPath('cat.jpg'));
      await expect.poll(title).toBe('Egyptian cat');
      expect(await findViolations(page)).toEqual([]);
      await drop('notes.txt', goldenPath('logits.json'));
      await expect.poll(() => page.getByRole('alert').isVisible()).toBe(true);
      expect(await findViolations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Camera' }).click();
      await expect.poll(() => page.getByRole('button', { name: 'Take the photo' }).isEnabled()).toBe(true);
      expect(await findViolations(page)).toEqual([]);
    },
  );

  it('lets the page ask nobody else', async () => {
    const policy = (await edge.fetch('/', { headers: { accept: 'text/html' } })).headers.get(
      'content-security-policy',
    );
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
  });
});
