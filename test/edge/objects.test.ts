import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { maxBodyBytes } from '../../src/limits.ts';
import { goldenPath, photoFiles } from '../golden/golden.ts';
import { type FaultyProxy, poison, startFaultyProxy } from '../tier/server/faulty-proxy.ts';
import { startTier, type TierProcess } from '../tier/server/tier-process.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

interface ObjectJson {
  readonly key: string;
  readonly etag: string;
  readonly labelled_at: string;
  readonly predictions?: readonly { readonly label: string }[];
  readonly problem?: { readonly code: string };
}

let tier: TierProcess;
let proxy: FaultyProxy;
let edge: EdgeServer;
beforeAll(async () => {
  tier = await startTier();
  proxy = await startFaultyProxy(tier.url);
  edge = await startEdge({
    configPath: './test/edge/with-objects.wrangler.toml',
    vars: { NODE_TIER_URL: proxy.url, NODE_TIER_SECRET: tier.secret },
  });
});
afterAll(async () => {
  await edge?.stop();
  await proxy?.close();
  await tier?.stop();
});
beforeEach(() => {
  proxy.fault = 'none';
});

const cat = new Uint8Array(await readFile(goldenPath(photoFiles.cat)));
const coffee = new Uint8Array(await readFile(goldenPath(photoFiles.coffee)));
const bucket = () => edge.env.IMAGES_BUCKET!;

/** As R2 writes them; after a deletion there is neither size nor etag. */
function toEvent(key: string, action = 'PutObject', name = 'pictures') {
  const object = action.startsWith('Delete') ? { key } : { key, size: 1, eTag: 'not-looked-at' };
  return { account: 'a', action, bucket: name, object, eventTime: new Date().toISOString() };
}
const report = (...events: object[]) => edge.env.OBJECT_EVENTS!.sendBatch(events.map((body) => ({ body })));

const read = (key: string) => edge.fetch(`/v1/objects/${encodeURIComponent(key)}`);

async function waitFor(key: string, until: (object: ObjectJson | undefined) => boolean): Promise<ObjectJson> {
  const deadline = Date.now() + 100_000;
  for (;;) {
    const response = await read(key);
    const object = response.ok ? ((await response.json()) as ObjectJson) : undefined;
    if (until(object)) return object!;
    if (Date.now() > deadline) throw new Error(`${key} is still ${JSON.stringify(object)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
const waitForLabels = (key: string) => waitFor(key, (object) => object !== undefined);
/**
 * Until all that was reported has been consumed: two objects that are reported after it have their rows. They
 * are too large for the tier to be asked, and the second shares no batch of the queue with what was before.
 */
async function settle(): Promise<void> {
  for (let round = 0; round < 2; round++) {
    const key = `in/sentinel-${crypto.randomUUID()}.png`;
    await bucket().put(key, new Uint8Array(maxBodyBytes + 1));
    await report(toEvent(key));
    await waitForLabels(key);
  }
}

async function countRows(key: string): Promise<unknown> {
  const sql = 'SELECT count(*) AS rows FROM object_labels WHERE key = ?1';
  return await (
    edge.env.BATCHES_DB.prepare(sql).bind(key) as unknown as { first(column: string): Promise<unknown> }
  ).first('rows');
}

describe('an object of a bucket that reports its events', () => {
  it('is labelled, in D1 and in its own metadata, once, however often and in which order events come', async () => {
    const key = 'in/pets/a cat.jpg';
    await bucket().put(key, cat, {
      customMetadata: { owner: 'someone' },
      httpMetadata: { contentType: 'image/jpeg' },
    });
    await report(toEvent(key), toEvent(key), toEvent(key, 'CopyObject'));
    const object = await waitForLabels(key);
    expect(object).toMatchObject({ key, tier: 'node', predictions: [{ label: 'Egyptian cat' }, {}] });
    const written = (await bucket().head(key))!;
    expect(written).toMatchObject({
      etag: object.etag,
      customMetadata: { owner: 'someone', 'resnet-edge-model': 'resnet18-imagenet1k/3' },
      httpMetadata: { contentType: 'image/jpeg' },
    });
    expect(JSON.parse(written.customMetadata!['resnet-edge-labels']!)).toEqual(object.predictions);

    // The event that this write has raised, and one that is late: nothing is computed or written again.
    const asked = proxy.requests;
    await report(toEvent(key), toEvent(key, 'DeleteObject'));
    await settle();
    expect(proxy.requests).toBe(asked);
    expect((await bucket().head(key))!.version).toBe(written.version);
    expect(await (await read(key)).json()).toEqual(object);
    expect(await countRows(key)).toBe(1);

    await bucket().put(key, coffee);
    await report(toEvent(key));
    const other = await waitFor(key, (now) => now?.etag !== object.etag);
    expect(other.predictions![0]!.label).toBe('espresso');
    expect(await countRows(key)).toBe(1);

    await bucket().delete(key);
    await report(toEvent(key, 'DeleteObject'));
    await waitFor(key, (now) => now === undefined);
    expect(await (await read(key)).json()).toMatchObject({ code: 'r2_key_unknown' });
  });

  it('that came in parts gets another etag by what is written into it, and is labelled once', async () => {
    const key = 'in/parts.jpg';
    const upload = await bucket().createMultipartUpload(key);
    const { etag } = await upload.complete([await upload.uploadPart(1, cat)]);
    await report(toEvent(key, 'CompleteMultipartUpload'));
    const object = await waitForLabels(key);
    expect(object.etag).not.toBe(etag);
    const written = (await bucket().head(key))!;
    expect(written.etag).toBe(object.etag);
    await report(toEvent(key));
    await settle();
    expect((await bucket().head(key))!.version).toBe(written.version);
    expect(await countRows(key)).toBe(1);
  });

  it('loses its row also while the tier is down, and has one as soon as the tier is up', async () => {
    await bucket().put('in/gone.jpg', cat);
    await report(toEvent('in/gone.jpg'));
    await waitForLabels('in/gone.jpg');
    proxy.fault = 'busy';
    await bucket().delete('in/gone.jpg');
    await bucket().put('in/new.jpg', cat);
    await report(toEvent('in/new.jpg'), toEvent('in/gone.jpg', 'LifecycleDeletion'));
    await waitFor('in/gone.jpg', (now) => now === undefined);
    expect((await read('in/new.jpg')).status).toBe(404);
    proxy.fault = 'none';
    await waitForLabels('in/new.jpg');
  });

  it('has a typed problem if it is bad or too large', async () => {
    await bucket().put('in/cut.jpg', cat.subarray(0, 2000));
    await bucket().put('in/large.png', new Uint8Array(maxBodyBytes + 1));
    await bucket().put('in/good.jpg', cat);
    await report(toEvent('in/cut.jpg'), toEvent('in/large.png'), toEvent('in/good.jpg'));
    expect((await waitForLabels('in/cut.jpg')).problem).toMatchObject({
      code: 'image_truncated',
      status: 422,
    });
    expect((await waitForLabels('in/large.png')).problem).toMatchObject({ code: 'body_too_large' });
    expect(await waitForLabels('in/good.jpg')).toHaveProperty('predictions');
  });

  it('is left alone where the configuration does not ask for it', async () => {
    const keys = ['out/cat.jpg', 'in/cat.gif', 'in/other-bucket.jpg'];
    for (const key of keys) await bucket().put(key, cat);
    await report(
      toEvent('out/cat.jpg'),
      toEvent('in/cat.gif'),
      toEvent('in/other-bucket.jpg', 'PutObject', 'others'),
      { not: 'an event' },
    );
    await settle();
    for (const key of keys) expect((await read(key)).status).toBe(404);
  });

  it('is given up alone if the tier always dies on it', async () => {
    proxy.fault = 'dies-of-poison';
    await bucket().put('in/poison.jpg', Buffer.concat([cat, Buffer.from(poison)]));
    await bucket().put('in/beside.jpg', cat);
    await report(toEvent('in/poison.jpg'), toEvent('in/beside.jpg'));
    expect(await waitForLabels('in/beside.jpg')).toHaveProperty('predictions');
    expect((await waitForLabels('in/poison.jpg')).problem).toMatchObject({ code: 'batch_tier_unavailable' });
  });

  it('is marked when the queue gives up', async () => {
    proxy.fault = 'garbage';
    await bucket().put('in/never.jpg', cat);
    await report(toEvent('in/never.jpg'));
    expect((await waitForLabels('in/never.jpg')).problem).toMatchObject({ code: 'batch_retries_exhausted' });
  });

  it('is found in the list, page by page', async () => {
    for (const key of ['in/list/1.jpg', 'in/list/2%_.jpg', 'in/list/3.jpg']) await bucket().put(key, cat);
    await report(...['in/list/1.jpg', 'in/list/2%_.jpg', 'in/list/3.jpg'].map((key) => toEvent(key)));
    for (const key of ['in/list/1.jpg', 'in/list/2%_.jpg', 'in/list/3.jpg']) await waitForLabels(key);
    const list = async (query: string) =>
      (await (await edge.fetch(`/v1/objects?prefix=in/list/&${query}`)).json()) as {
        objects: ObjectJson[];
        next_after: string | null;
      };
    const first = await list('limit=2');
    expect(first.objects.map(({ key }) => key)).toEqual(['in/list/1.jpg', 'in/list/2%_.jpg']);
    const rest = await list(`limit=2&after=${encodeURIComponent(first.next_after!)}`);
    expect(rest.objects.map(({ key }) => key)).toEqual(['in/list/3.jpg']);
    expect(rest.next_after).toBeNull();
    expect((await edge.fetch('/v1/objects?limit=0')).status).toBe(400);
  });
});
