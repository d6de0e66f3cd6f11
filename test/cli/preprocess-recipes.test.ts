import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findPreset, readSources } from '../../src/cli/models/sources.ts';
import type { PreprocessSpec } from '../../src/image/preprocess-spec.ts';
import { createCropResampler } from '../../src/image/resample/crop-resampler.ts';
import { toTensor } from '../../src/image/to-tensor.ts';
import { parseManifest } from '../../src/model/manifest.ts';
import { assetPath } from '../golden/golden.ts';

/** Width, height, SHA-256 of the crop, and the tensor at (0, 0, 0), (1, 111, 7) and (2, 223, 223). */
type Row = [number, number, string, [number, number, number]];

/** Made by test/golden/make-preprocess.py. */
const { recipes } = JSON.parse(
  readFileSync(new URL('../golden/preprocess.json', import.meta.url), 'utf8'),
) as { recipes: Record<string, Row[]> };

const sources = await readSources();
const manifest = JSON.parse(readFileSync(assetPath('resnet18-imagenet1k/3/manifest.json'), 'utf8'));

function specOf(preset: string): PreprocessSpec {
  const preprocess =
    preset === 'stretch'
      ? findPreset(sources, 'torchvision-v1', { resize: 'stretch' })
      : findPreset(sources, preset);
  return parseManifest({ ...manifest, preprocess }).preprocess;
}

/** Row `y` of the script's `pattern`. */
function patternRow(width: number, y: number): Uint8Array {
  return Uint8Array.from({ length: width * 3 }, (_, i) => {
    const mixed =
      Math.imul(Math.floor(i / 3), 73_856_093) + Math.imul(y, 19_349_663) + (i % 3) * 83_492_791 + 1;
    return Math.imul(mixed, 2_654_435_761) >>> 24;
  });
}

describe.each(Object.entries(recipes))(
  '%s makes of an image what the library itself makes',
  (preset, rows) => {
    it.each(rows)('%i x %i', (width, height, sha256, probes) => {
      const spec = specOf(preset);
      const resampler = createCropResampler({ width, height, orientation: 1 }, spec, 1);
      const { top, bottom } = resampler.window;
      for (let y = top; y < bottom; y++) resampler.writeRow(patternRow(width, y), y);
      expect(createHash('sha256').update(resampler.crop).digest('hex')).toBe(sha256);
      const { data } = toTensor(resampler.crop, spec);
      const at = (channel: number, y: number, x: number) => data[(channel * 224 + y) * 224 + x];
      [at(0, 0, 0), at(1, 111, 7), at(2, 223, 223)].forEach((value, i) => {
        expect(value).toBeCloseTo(probes[i]!, 5);
      });
    });
  },
);

describe('findPreset', () => {
  it('keeps proportions when the crop is of another size', () => {
    expect(findPreset(sources, 'timm-0.95', { size: 288 })).toMatchObject({
      center_crop: 288,
      resize_shortest_edge: 303, // math.floor(288 / 0.95)
    });
    expect(findPreset(sources, 'torchvision-v1', { size: 448 })).toMatchObject({ resize_shortest_edge: 512 });
  });
  it('lets a person change each part', () => {
    const changes = {
      size: 160,
      resize: 170,
      interpolation: 'bicubic',
      mean: [0, 0, 0],
      std: [1, 1, 1],
    } as const;
    expect(findPreset(sources, 'torchvision-v1', changes)).toMatchObject({
      center_crop: 160,
      resize_shortest_edge: 170,
      interpolation: 'bicubic',
      mean: [0, 0, 0],
      std: [1, 1, 1],
    });
  });
  it('gives Keras its channels from blue to red', () => {
    const crop = new Uint8Array(224 * 224 * 3).map((_, i) => [10, 20, 30][i % 3]!);
    const { data } = toTensor(crop, specOf('keras'));
    const plane = 224 * 224;
    // keras.applications.resnet.preprocess_input: BGR, less the mean of each channel.
    [30 - 103.939, 20 - 116.779, 10 - 123.68].forEach((value, channel) => {
      expect(data[channel * plane]).toBeCloseTo(value, 4);
    });
  });
});
