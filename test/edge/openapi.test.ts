import { readFile } from 'node:fs/promises';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenPath } from '../golden/golden.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path' | 'header';
  readonly schema: { readonly enum?: readonly string[]; readonly type?: string };
}
/** A schema or any part of one. */
type Json = Readonly<Record<string, unknown>>;
interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

let edge: EdgeServer;
let text: string;
let operations: { method: string; path: string; operation: Operation }[];
beforeAll(async () => {
  edge = await startEdge();
  text = await (await edge.fetch('/openapi.json')).text();
  const { paths } = JSON.parse(text) as { paths: Record<string, Record<string, Operation>> };
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
});
afterAll(() => edge?.stop());

describe('/openapi.json', () => {
  it('is OpenAPI 3.1, and a public linter finds nothing', async () => {
    const config = await createConfig({
      extends: ['recommended'],
      // /v1/health/live cannot fail.
      rules: { 'operation-4xx-response': 'off' },
    });
    const problems = await lintFromString({ source: text, absoluteRef: 'openapi.json', config });
    expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual(
      [],
    );
    expect(JSON.parse(text).openapi).toBe('3.1.0');
  });

  it('knows every route, each with an id of its own', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of [
      'classify',
      'listModels',
      'createBatch',
      'receiveWebhook',
      'openInferenceInfer',
      'workersAiRest',
    ])
      expect(ids).toContain(id);
  });

  it('has one body and one answer a route, as generated clients need it', () => {
    for (const { method, path, operation } of operations) {
      const where = `${method} ${path}`;
      expect(Object.keys(operation.requestBody?.content ?? {}).length, where).toBeLessThanOrEqual(1);
      const good = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'));
      if (good.every(([status]) => status === '204')) continue;
      const answers = good.map(([, { content }]) => JSON.stringify(content));
      expect(new Set(answers).size, where).toBe(1);
      expect(Object.keys(good[0]![1].content ?? {}), where).toHaveLength(1);
    }
  });

  it('names each object and each enum, and has no union but with null', () => {
    const { components, paths } = JSON.parse(text) as { components: { schemas: Json }; paths: Json };
    const unnamed: string[] = [];
    const walk = (node: unknown, path: string, isNamed: boolean): void => {
      if (typeof node !== 'object' || node === null) return;
      const schema = node as Json;
      if ('anyOf' in schema || 'oneOf' in schema || 'allOf' in schema) unnamed.push(path);
      const isObject = schema['type'] === 'object' || 'properties' in schema;
      if (!isNamed && (isObject || Array.isArray(schema['enum']))) unnamed.push(path);
      // Kotlin and Go do not compile `default: {}`.
      if ('type' in schema && typeof schema['default'] === 'object') unnamed.push(`${path}/default`);
      for (const [key, value] of Object.entries(schema)) {
        if (key !== 'example') walk(value, `${path}/${key}`, false);
      }
    };
    for (const [name, schema] of Object.entries(components.schemas)) walk(schema, name, true);
    walk(paths, 'paths', false);
    expect(unnamed).toEqual([]);
    // Words that a language or its library has already.
    for (const name of ['Result', 'Image', 'Model', 'Error', 'File'])
      expect(components.schemas).not.toHaveProperty(name);
  });

  it('has no two enums that share a constant: Go has one name space for all', () => {
    const { schemas } = JSON.parse(text).components as { schemas: Record<string, Json> };
    const owners = new Map<string, string[]>();
    for (const [name, schema] of Object.entries(schemas)) {
      const values = (schema['x-enum-varnames'] ?? schema['enum'] ?? []) as string[];
      for (const value of values) {
        const constant = value.toUpperCase().replaceAll('-', '_');
        owners.set(constant, [...(owners.get(constant) ?? []), name]);
      }
    }
    expect([...owners].filter(([, names]) => names.length > 1)).toEqual([]);
  });

  it('has examples that run as they are', async () => {
    const tried: string[] = [];
    const made: Record<string, string> = {};
    for (const { method, path, operation } of operations) {
      const [[type, content] = []] = Object.entries(operation.requestBody?.content ?? {});
      const { example } = (content ?? {}) as { example?: unknown };
      if (example === undefined || type === undefined || path === '/v1/upload-tokens') continue;
      // It lets a version answer that was trained before.
      if (path.endsWith('/serve')) continue;
      const url = path.replaceAll(/\{(\w+)\}/g, (_, name) => pathExamples[name] ?? made[name] ?? name);
      const body = JSON.stringify(example);
      const response = await edge.fetch(url, { method, body, headers: { 'content-type': type } });
      const answer = await response.text();
      expect(response.status, `${method} ${url}: ${answer}`).toBeLessThan(300);
      if (operation.operationId === 'createClassifier') made['id'] = JSON.parse(answer).id;
      tried.push(path);
    }
    expect(tried.length).toBeGreaterThanOrEqual(6);
  });

  it('is what a picture’s answer looks like', async () => {
    const photo = await readFile(goldenPath('cat.jpg'));
    const answer = (await (
      await edge.fetch('/v1/classify', { method: 'POST', body: new Uint8Array(photo) })
    ).json()) as object;
    const { required } = JSON.parse(text).components.schemas.ClassifyAnswer as { required: string[] };
    expect(Object.keys(answer).sort()).toEqual([...required].sort());
  });
});

const pathExamples: Readonly<Record<string, string>> = {
  model: 'resnet18-imagenet1k',
  version: '3',
  account_id: '0',
};

/** Values an honest client, a careless one and a hostile one might send. */
const anyText = fc.oneof(
  fc.constantFrom('resnet18-imagenet1k', '2', '5', '0', '-1', 'apply', '', '..', '%', '1e9', 'null'),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
);
const anyBody = fc.oneof(
  fc.constant(''),
  fc.json(),
  fc.constantFrom(
    '{"image":"aGVsbG8="}',
    '{"inputs":"aGVsbG8=","parameters":{"top_k":-1}}',
    '{"inputs":[{"name":"data","shape":[1],"datatype":"BYTES","data":["aGVsbG8="]}]}',
    '{"inputs":[{"name":"data","shape":[1e9,1e9],"datatype":"FP32","data":[1]}]}',
    '{"url":"http://localhost/"}',
    '{"expires_in_seconds":1e9}',
  ),
  fc.string({ unit: 'binary', maxLength: 200 }),
);
const anyType = fc.constantFrom(
  'application/json',
  'application/octet-stream',
  'application/x-ndjson',
  'multipart/form-data',
  'multipart/form-data; boundary=x',
  'image/png',
  'text/plain',
  '',
);

describe('whatever is sent', () => {
  const runs = Number(process.env['RESNET_EDGE_FUZZ_RUNS'] ?? 400);
  it(`gets a documented answer, never a 500: ${runs} requests made from the document`, async () => {
    const request = fc.record({
      pick: fc.nat(),
      values: fc.array(anyText, { minLength: 8, maxLength: 8 }),
      given: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
      body: anyBody,
      type: anyType,
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ pick, values, given, body, type }) => {
        // A stream of events does not end by itself.
        const open = operations.filter(({ operation }) => operation.operationId !== 'readBatchEvents');
        const { method, path, operation } = open[pick % open.length]!;
        let url = path;
        const query = new URLSearchParams();
        for (const [index, { name, in: place }] of (operation.parameters ?? []).entries()) {
          const value = values[index % values.length]!;
          if (place === 'path')
            url = url.replace(`{${name}}`, encodeURIComponent(value.toWellFormed()) || 'x');
          if (place === 'query' && given[index % given.length]) query.set(name, value.toWellFormed());
        }
        const response = await edge.fetch(`${url}?${query}`, {
          method,
          ...(operation.requestBody && { body, headers: type ? { 'content-type': type } : {} }),
        });
        await response.arrayBuffer();
        const documented = operation.responses[response.status];
        // "." and ".." in a path are removed by every client: another route answers, or none.
        if (response.status === 404 || response.status === 405) return;
        expect(documented, `${method} ${url}?${query} gave ${response.status}`).toBeDefined();
        expect(response.status, `${method} ${url}?${query}`).not.toBe(500);
        if (response.status >= 400)
          expect(response.headers.get('content-type')).toBe('application/problem+json');
      }),
      { numRuns: runs },
    );
  }, 120_000);
});
