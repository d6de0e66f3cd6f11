import { afterEach, expect, it } from 'vitest';
import { type BucketServer, serveBucket } from '../../src/cli/local/bucket-server.ts';
import { createS3ModelStore } from '../../src/model/s3-model-store.ts';

const content = new TextEncoder().encode('{"name":"tiny"}');
const bucket = {
  async get(key: string) {
    return key === 'tiny/1/manifest.json'
      ? { size: content.length, body: new Blob([content]).stream() }
      : null;
  },
};

let server: BucketServer | undefined;
afterEach(() => server?.stop());

const storeOf = ({ variables }: BucketServer, name = variables['TIER_S3_BUCKET']!) =>
  createS3ModelStore({
    endpoint: variables['TIER_S3_ENDPOINT']!,
    bucket: name,
    accessKeyId: variables['TIER_S3_ACCESS_KEY_ID']!,
    secretAccessKey: variables['TIER_S3_SECRET_ACCESS_KEY']!,
  });

it('gives the Node tier what the local bucket has', async () => {
  server = await serveBucket(bucket);
  const opened = await storeOf(server).open('tiny/1/manifest.json');
  expect(opened?.bytes).toBe(content.length);
  expect(await new Response(opened?.body).text()).toBe('{"name":"tiny"}');
  expect(await storeOf(server).open('tiny/2/manifest.json')).toBeUndefined();
});

it('gives nothing to whoever does not know the name of the bucket', async () => {
  server = await serveBucket(bucket);
  expect(await storeOf(server, 'models').open('tiny/1/manifest.json')).toBeUndefined();
});
