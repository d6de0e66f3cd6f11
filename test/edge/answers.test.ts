import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenPath } from '../golden/golden.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

const cat = new Uint8Array(await readFile(goldenPath('cat.jpg')));
const rocket = new Uint8Array(await readFile(goldenPath('rocket.jpg')));

let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge({ vars: { ANSWER_CACHE_SECONDS: '60' } });
});
afterAll(() => edge?.stop());

const post = (body: Uint8Array<ArrayBuffer>, query = '', headers: Record<string, string> = {}) =>
  edge.fetch(`/v1/classify${query}`, { method: 'POST', body, headers });
const predictionsOf = async (response: Response) =>
  ((await response.json()) as { predictions: unknown }).predictions;

describe('remembered answers', () => {
  it('are given again for the same bytes, model and options, and for nothing else', async () => {
    const first = await post(cat);
    expect(first.headers.get('cache-status')).toBe('resnet-edge; fwd=miss; stored');
    const second = await post(cat);
    expect(second.headers.get('cache-status')).toBe('resnet-edge; hit');
    expect(second.headers.get('etag')).toBe(first.headers.get('etag'));
    expect(second.headers.get('cache-control')).toBe('private, no-cache');
    expect(await predictionsOf(second)).toEqual(await predictionsOf(first));
    expect(second.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));

    for (const [body, query] of [
      [cat, '?top_k=4'],
      [cat, '?orientation=ignore'],
      [cat, '?decode=fast'],
      [rocket, ''],
    ] as const) {
      const other = await post(body, query);
      expect(other.headers.get('cache-status'), query).toBe('resnet-edge; fwd=miss; stored');
      expect(other.headers.get('etag')).not.toBe(first.headers.get('etag'));
    }
  });

  it('need not be sent again to who has them', async () => {
    const tag = (await post(cat)).headers.get('etag')!;
    const again = await post(cat, '', { 'if-none-match': `"other", ${tag}` });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
    expect(again.headers.get('etag')).toBe(tag);
    expect((await post(rocket, '', { 'if-none-match': tag })).status).toBe(200);
  });

  it('do not remember what went wrong', async () => {
    const broken = cat.slice(0, 5000);
    for (let round = 0; round < 2; round++) {
      const response = await post(broken);
      expect(response.status).toBe(422);
      expect(response.headers.get('cache-status')).toBeNull();
    }
  });
});

describe('identical requests at the same time', () => {
  it('share one inference, and a first client that leaves takes nothing from the others', async () => {
    const body = new Uint8Array(await readFile(goldenPath('coffee.png')));
    const leaving = new AbortController();
    const first = edge
      .fetch('/v1/classify?top_k=3', { method: 'POST', body, signal: leaving.signal })
      .catch(() => 'left');
    const others = Array.from({ length: 6 }, () => post(body, '?top_k=3', { prefer: 'wait=30' }));
    setTimeout(() => leaving.abort(), 15);
    const answers = await Promise.all(others);
    await first;
    const origins = answers.map(({ headers }) => headers.get('cache-status'));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(origins.filter((origin) => origin?.endsWith('stored')).length).toBeLessThanOrEqual(1);
    const [one, ...rest] = await Promise.all(answers.map(predictionsOf));
    for (const predictions of rest) expect(predictions).toEqual(one);
  });
});
