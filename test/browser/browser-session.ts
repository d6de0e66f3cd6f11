import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { findChromium } from './find-chromium.ts';

export const executablePath = findChromium();

/** A Chromium with a camera that shows a test picture, and what its pages complained about. */
export class BrowserSession {
  readonly #browser: Browser;
  /** Errors of scripts and of the console. */
  readonly problems: string[] = [];
  /** Hosts that pages asked. */
  readonly hosts = new Set<string>();

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async start(): Promise<BrowserSession> {
    const args = ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
    return new BrowserSession(await chromium.launch({ executablePath: executablePath!, args }));
  }

  /** A page in a context of its own, so that nothing is kept from another test. */
  async newPage(options: BrowserContextOptions = {}): Promise<Page> {
    const page = await (await this.#browser.newContext(options)).newPage();
    page.on('pageerror', (error) => this.problems.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') this.problems.push(message.text());
    });
    page.on('request', (request) => this.hosts.add(new URL(request.url()).host));
    return page;
  }

  forget(): void {
    this.problems.length = 0;
    this.hosts.clear();
  }

  async stop(): Promise<void> {
    await this.#browser.close();
  }
}

/** What a person does who drags a file from the desktop. */
export async function dropFile(page: Page, selector: string, name: string, path: string): Promise<void> {
  const base64 = (await readFile(path)).toString('base64');
  await page.evaluate(
    ({ selector, name, base64 }) => {
      const transfer = new DataTransfer();
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      transfer.items.add(new File([bytes], name));
      document
        .querySelector(selector)!
        .dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: transfer }));
    },
    { selector, name, base64 },
  );
}

let axe: string | undefined;

/** @returns rules of axe that the page breaks as it stands. The page's context has to bypass its policy. */
export async function findViolations(page: Page): Promise<unknown[]> {
  axe ??= await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  // What is on its way in is half transparent: axe would measure that.
  await page.evaluate(() =>
    Promise.all(document.getAnimations().map((each) => each.finished.catch(() => {}))),
  );
  return await page.evaluate(async (source) => {
    await new Function(source)();
    // biome-ignore lint/suspicious/noExplicitAny: axe leaves itself on the window.
    const { violations } = await (window as any).axe.run();
    return violations.map(
      ({ id, nodes }: { id: string; nodes: { html: string; failureSummary: string }[] }) => [
        id,
        nodes[0]?.html,
        nodes[0]?.failureSummary,
      ],
    );
  }, axe);
}

/** Ids of what the tab key reaches, in order. */
export async function pressTabs(page: Page, count: number): Promise<(string | undefined)[]> {
  const reached: (string | undefined)[] = [];
  for (let step = 0; step < count; step++) {
    await page.keyboard.press('Tab');
    reached.push(await page.evaluate(() => document.activeElement?.id));
  }
  return reached;
}
