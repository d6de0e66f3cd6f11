import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EdgeServer, startEdge } from '../edge/edge-server.ts';
import { goldenPath } from '../golden/golden.ts';
import { BrowserSession, executablePath } from './browser-session.ts';

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly example?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
}

interface ApiOperation {
  readonly operationId: string;
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: Schema; readonly example?: unknown }>>;
  };
}

interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

describe.skipIf(executablePath === undefined)('the API reference in Chromium', () => {
  let edge: EdgeServer;
  let session: BrowserSession;
  let page: Page;
  beforeAll(async () => {
    edge = await startEdge({ vars: { PUBLIC_SCOPES: 'classify,batch,teach' } });
    session = await BrowserSession.start();
  });
  afterAll(async () => {
    await session?.stop();
    await edge?.stop();
  });
  beforeEach(async () => {
    session.forget();
    page = await session.newPage();
  });
  afterEach(() => page.context().close());

  async function openOperation(tag: string, operation: string) {
    await page.goto(`${edge.url}/docs#/${tag}/${operation}`);
    await page.reload();
    const block = page.locator(`#operations-${tag}-${operation}`);
    await block.getByRole('button', { name: 'Try it out' }).click();
    return block;
  }

  it.each([
    ['classify', 'classifyJson', '"label": "'],
    ['batches', 'createBatch', '"status": "'],
    ['classifiers', 'createClassifier', '"id": "clf-'],
  ])('"Try it out" sends the example of %s/%s as it stands', async (tag, operation, answer) => {
    const block = await openOperation(tag, operation);
    await block.getByRole('button', { name: 'Execute' }).click();
    await expect.poll(() => block.locator('.live-responses-table tbody').textContent()).toContain(answer);
  });

  it('sends a form as it stands, but for the picture', async () => {
    const block = await openOperation('classify', 'classifyForm');
    await block.locator('input[type=file]').setInputFiles(goldenPath('cat.jpg'));
    await block.getByRole('button', { name: 'Execute' }).click();
    await expect
      .poll(() => block.locator('.live-responses-table tbody').textContent())
      .toContain('Egyptian cat');
  });

  it('has an example for whatever "Try it out" sends', async () => {
    const { paths, components } = (await (await edge.fetch('/openapi.json')).json()) as ApiDocument;
    const resolve = (schema: Schema): Schema =>
      schema.$ref === undefined ? schema : (components.schemas[schema.$ref.split('/').pop() ?? ''] ?? {});
    const isShown = (schema: Schema) => schema.example !== undefined || schema.enum !== undefined;
    const withoutExample = Object.values(paths)
      .flatMap((methods) => Object.values(methods))
      .filter(({ requestBody }) =>
        Object.entries(requestBody?.content ?? {}).some(([type, { schema, example }]) => {
          if (type.startsWith('application/json')) return example === undefined && !isShown(resolve(schema));
          if (type !== 'multipart/form-data') return false;
          const fields = Object.values(resolve(schema).properties ?? {}).map(resolve);
          // Swagger UI fills in "string".
          return fields.some(
            (field) => field.type === 'string' && field.format !== 'binary' && !isShown(field),
          );
        }),
      );
    expect(withoutExample.map(({ operationId }) => operationId)).toEqual([]);
  });

  it.each(['light', 'dark'] as const)(
    'wears the dress of the page, %s, and asks nobody else',
    async (colorScheme) => {
      await page.context().close();
      page = await session.newPage({ colorScheme });
      await page.goto(`${edge.url}/docs`);
      await expect.poll(() => page.locator('.opblock').count()).toBeGreaterThan(10);
      const [reference, body] = await Promise.all(
        ['.swagger-ui', 'body'].map((selector) =>
          page
            .locator(selector)
            .first()
            .evaluate((element) => getComputedStyle(element).backgroundColor),
        ),
      );
      expect(reference).toBe(body);
      expect(session.problems).toEqual([]);
      expect([...session.hosts].filter(Boolean)).toEqual([new URL(edge.url).host]);
      await page.getByRole('link', { name: 'Teach' }).click();
      await page.locator('#teach[data-view=new]').waitFor();
      await page.getByRole('link', { name: 'API' }).click();
      await page.waitForURL('**/docs');
    },
  );

  it('may not load scripts of others', async () => {
    const policy = (await edge.fetch('/docs')).headers.get('content-security-policy') ?? '';
    expect(policy).toContain("script-src 'self';");
    expect(await readFile(new URL('../../src/web/docs.html', import.meta.url), 'utf8')).not.toMatch(
      /https?:\/\//,
    );
  });
});
