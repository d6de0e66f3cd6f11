import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { afterEach, describe, expect, it } from 'vitest';
import { goldenPath } from '../golden/golden.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

let edge: EdgeServer;
afterEach(() => edge?.stop());

async function classify(file: string) {
  return classifyBytes(new Uint8Array(await readFile(goldenPath(file))));
}

async function classifyBytes(body: Uint8Array<ArrayBuffer>) {
  const response = await edge.fetch('/v1/classify?top_k=1', { method: 'POST', body });
  return { status: response.status, body: (await response.json()) as object };
}

/** 3.8 megapixels: libavif would take 68 MB. */
async function makeLargeAvif(): Promise<Uint8Array<ArrayBuffer>> {
  const cat = await readFile(goldenPath('cat.jpg'));
  return new Uint8Array(await sharp(cat).resize(2400, 1600, { fit: 'fill' }).avif({ effort: 0 }).toBuffer());
}

describe('formats beyond the decoders', () => {
  it('decodes WebP, AVIF and HEIC by itself', async () => {
    edge = await startEdge();
    const webp = await classify('cat.webp');
    expect(webp).toMatchObject({
      status: 200,
      body: { image: { format: 'webp', width: 451, height: 300 }, predictions: [{ label: 'Egyptian cat' }] },
    });
    expect(webp.body).not.toHaveProperty('image.approximate');
    const avif = await classify('cat.avif');
    expect(avif).toMatchObject({
      status: 200,
      // As with Pillow's pixels of this file: 0.42 to 0.39.
      body: { image: { format: 'avif', width: 451, height: 300 }, predictions: [{ label: 'tabby' }] },
    });
    expect(avif.body).not.toHaveProperty('image.approximate');
    const heic = await readFile(new URL('../fixtures/heif-cases/turned-6.heic', import.meta.url));
    expect(await classifyBytes(new Uint8Array(heic))).toMatchObject({
      status: 200,
      body: { image: { format: 'heic', width: 116, height: 150 } },
    });
    const large = await makeLargeAvif();
    expect(await classifyBytes(large)).toMatchObject({
      status: 413,
      body: { code: 'image_too_many_pixels' },
    });
  });

  it('transcodes AVIF beyond its limit where the Images binding is configured, and says that this is approximate', async () => {
    edge = await startEdge({ configPath: './test/edge/with-images.wrangler.toml' });
    expect(await classifyBytes(await makeLargeAvif())).toMatchObject({
      status: 200,
      body: {
        image: { format: 'avif', width: 2400, height: 1600, approximate: true },
        predictions: [{ label: 'Egyptian cat' }],
      },
    });
    expect(await classify('logits.json')).toMatchObject({
      status: 415,
      body: { code: 'image_format_unknown' },
    });
  });
});

describe('an image over the cap of its decoder', () => {
  // 3.2 megapixels, lossless: libwebp would take 52 MB.
  const readLarge = async () => {
    const cat = await readFile(goldenPath('cat.jpg'));
    return new Uint8Array(
      await sharp(cat).resize(2000, 1600, { fit: 'fill' }).webp({ lossless: true, effort: 0 }).toBuffer(),
    );
  };

  it('is refused', async () => {
    edge = await startEdge();
    expect(await classifyBytes(await readLarge())).toMatchObject({
      status: 413,
      body: { code: 'image_too_many_pixels' },
    });
  });

  it('is transcoded where the Images binding is configured', async () => {
    edge = await startEdge({ configPath: './test/edge/with-images.wrangler.toml' });
    expect(await classifyBytes(await readLarge())).toMatchObject({
      status: 200,
      body: { image: { format: 'webp', width: 2000, height: 1600, approximate: true } },
    });
  });
});

describe('a picture in the bound bucket', () => {
  it('is named by its key', async () => {
    edge = await startEdge({ configPath: './test/edge/with-images.wrangler.toml' });
    await edge.env.IMAGES_BUCKET!.put('pets/cat.jpg', new Uint8Array(await readFile(goldenPath('cat.jpg'))));
    const ask = async (key: string) => {
      const response = await edge.fetch('/v1/classify', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ r2_key: key, top_k: 1 }),
      });
      return { status: response.status, body: (await response.json()) as object };
    };
    expect(await ask('pets/cat.jpg')).toMatchObject({
      status: 200,
      body: { predictions: [{ label: 'Egyptian cat' }] },
    });
    expect(await ask('pets/dog.jpg')).toMatchObject({ status: 404, body: { code: 'r2_key_unknown' } });
  });
});
