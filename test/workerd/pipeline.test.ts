import { decode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { decodeToCrop } from '../../src/image/image-to-crop.ts';
import { defaultSpec } from '../image/default-spec.ts';
import { EDGE, readFile, seedModels } from './env.ts';

describe('the image pipeline inside workerd', () => {
  it.each([
    ['cat.jpg', 'cat.crop.png'],
    ['coffee.png', 'coffee.crop.png'],
    ['rocket.jpg', 'rocket.crop.png'],
  ])('%s gives the bytes of %s, which Pillow made', async (photo, golden) => {
    const { crop, approximate } = await decodeToCrop(await readFile(`golden/${photo}`), defaultSpec);
    const expected = decode(await readFile(`golden/${golden}`)).data;
    expect(approximate).toBe(false);
    expect(crop.length).toBe(224 * 224 * 3);
    let differing = 0;
    for (let index = 0; index < crop.length; index++) if (crop[index] !== expected[index]) differing++;
    expect(differing).toBe(0);
  });
});

describe('the built Worker as a neighbour, by service binding', () => {
  it('says 503 before there is a model, and classifies once there is one', async () => {
    const body = await readFile('golden/cat.jpg');
    const before = await EDGE.fetch('http://edge/v1/health/ready');
    expect(before.status).toBe(503);
    expect(await before.json()).toMatchObject({ code: 'model_unavailable' });

    await seedModels();
    const response = await EDGE.fetch('http://edge/v1/classify?top_k=1', { method: 'POST', body });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      predictions: [{ class_index: 285, label: 'Egyptian cat' }],
    });
  });
});
