import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { goldenPath, photoFiles } from '../golden/golden.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge({ configPath: './test/edge/with-objects.wrangler.toml' });
});
afterAll(() => edge?.stop());

it('labels a bucket’s objects in the Worker itself where there is no Node tier', async () => {
  const cat = new Uint8Array(await readFile(goldenPath(photoFiles.cat)));
  await edge.env.IMAGES_BUCKET!.put('in/cat.jpg', cat);
  await edge.env.IMAGES_BUCKET!.put('in/half.jpg', cat.subarray(0, cat.length / 2));
  const object = { size: 1, eTag: 'not-looked-at' };
  const event = {
    account: 'a',
    action: 'PutObject',
    bucket: 'pictures',
    eventTime: new Date().toISOString(),
  };
  await edge.env.OBJECT_EVENTS!.sendBatch(
    ['in/cat.jpg', 'in/half.jpg'].map((key) => ({ body: { ...event, object: { ...object, key } } })),
  );
  const waitFor = async (key: string) =>
    await expect
      .poll(async () => await (await edge.fetch(`/v1/objects/${encodeURIComponent(key)}`)).json(), {
        timeout: 20_000,
        interval: 200,
      })
      .toMatchObject(
        key === 'in/cat.jpg'
          ? { tier: 'edge', predictions: [{ label: 'Egyptian cat' }, {}] }
          : { problem: { code: 'image_truncated' } },
      );
  await waitFor('in/cat.jpg');
  await waitFor('in/half.jpg');
  const written = await edge.env.IMAGES_BUCKET!.head('in/cat.jpg');
  expect(written?.customMetadata).toHaveProperty('resnet-edge-labels');
});
