import { describe, expect, it } from 'vitest';
import { decodeToCrop, type ImageOptions } from '../../src/image/image-to-crop.ts';
import type { PixelRoutines } from '../../src/image/pixel-arena.ts';
import type { PreprocessSpec } from '../../src/image/preprocess-spec.ts';
import avifCases from '../fixtures/avif-cases.json' with { type: 'json' };
import edgeCases from '../fixtures/edge-cases.json' with { type: 'json' };
import goldens from '../fixtures/goldens.json' with { type: 'json' };
import heifCases from '../fixtures/heif-cases.json' with { type: 'json' };
import jpegCases from '../fixtures/jpeg-cases.json' with { type: 'json' };
import nearCases from '../fixtures/near-cases.json' with { type: 'json' };
import pngCases from '../fixtures/png-cases.json' with { type: 'json' };
import tiffCases from '../fixtures/tiff-cases.json' with { type: 'json' };
import webpCases from '../fixtures/webp-cases.json' with { type: 'json' };
import { defaultSpec } from './default-spec.ts';

/**
 * Files and what Pillow makes of them, decoded wherever the product runs: Node and workerd take the same list, because
 * no format may depend on which runtime decodes it. Nothing in here is Node's.
 */
export interface PixelRuntime {
  /** A file of test/fixtures. */
  readFixture(path: string): Promise<Uint8Array>;
  /** A file of RESNET_EDGE_SHARED; undefined where that is not set. */
  readShared(path: string): Promise<Uint8Array | undefined>;
  /** The routines as this runtime loads them. */
  readonly routines: PixelRoutines;
  readonly loadWebpModule: NonNullable<ImageOptions['loadWebpModule']>;
  readonly decodeHeic: NonNullable<ImageOptions['decodeHeic']>;
  readonly decodeAvif: NonNullable<ImageOptions['decodeAvif']>;
}

interface CaseList {
  readonly recipes: readonly Recipe[];
  /** By file name: a digest of the crop's RGB bytes for each recipe, and what is wrong with the file. */
  readonly files: Readonly<
    Record<string, { readonly sha256: readonly string[]; readonly warnings?: string[] }>
  >;
}
type Recipe = Pick<PreprocessSpec, 'resizeShortestEdge' | 'interpolation' | 'centerCrop'>;

/** By the folder that the files are in. Each list is made by a script beside it. */
const lists: Readonly<Record<string, CaseList>> = {
  images: goldens as CaseList,
  'edge-cases': edgeCases as CaseList,
  'png-cases': pngCases as CaseList,
  'jpeg-cases': jpegCases as CaseList,
  'tiff-cases': tiffCases as CaseList,
  'heif-cases': heifCases as CaseList,
  'avif-cases': avifCases as CaseList,
  'webp-cases': webpCases as CaseList,
};

/** Grey levels of resampled pixels: chroma is that of the nearest pixel, where libheif interpolates. */
const nearErrors = { most: 16, mean: 3.5 } as const;

export async function describePixelCases(runtime: PixelRuntime): Promise<void> {
  const { loadWebpModule, decodeHeic, decodeAvif } = runtime;
  const ways = [
    { way: 'plain TypeScript', routines: undefined },
    { way: 'routines', routines: runtime.routines },
  ] as const;
  const sharedList = await runtime.readShared('cases/cases.json');

  describe.each(ways)('crops are byte-identical to those Pillow makes, by $way', ({ routines }) => {
    const options = { loadWebpModule, decodeHeic, decodeAvif, routines };
    describe.each(Object.entries(lists))('%s', (folder, { recipes, files }) => {
      it.each(Object.keys(files))('%s', async (name) => {
        const { sha256, warnings = [] } = files[name]!;
        const bytes = await runtime.readFixture(`${folder}/${name}`);
        // What decoders write does not depend on the recipe; how plain TypeScript resamples is tested with the goldens.
        const asked = routines || folder === 'images' ? recipes : recipes.slice(0, 1);
        const digests = [];
        for (const recipe of asked) {
          const image = await decodeToCrop(bytes, { ...defaultSpec, ...recipe }, options);
          digests.push(await digestHex(image.crop));
          expect(image.warnings).toEqual(warnings);
          expect(image.approximate).toBe(false);
        }
        expect(digests).toEqual(sha256.slice(0, asked.length));
      });
    });

    describe.skipIf(sharedList === undefined)('RESNET_EDGE_SHARED/cases', () => {
      it.each(parseShared(sharedList))('$file', async ({ file, crop_sha256 }) => {
        const bytes = (await runtime.readShared(`cases/${file}`))!;
        const { crop } = await decodeToCrop(bytes, defaultSpec, options);
        expect(await digestHex(crop)).toBe(crop_sha256);
      });
    });
  });

  describe('crops are near those of Pillow, of HEICs that are turned or cut at odd pixels', () => {
    const recipe = nearCases.recipes[2] as Recipe;
    it.each(Object.keys(nearCases.files) as (keyof typeof nearCases.files)[])('%s', async (name) => {
      const { width, height, crop: base64 } = nearCases.files[name];
      const expected = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      const options = { decodeHeic, routines: runtime.routines };
      const bytes = await runtime.readFixture(`near-cases/${name}`);
      const { header, crop } = await decodeToCrop(bytes, { ...defaultSpec, ...recipe }, options);
      const upright = header.orientation >= 5 ? [header.height, header.width] : [header.width, header.height];
      expect(upright).toEqual([width, height]);
      const errors = crop.map((sample, i) => Math.abs(sample - expected[i]!));
      expect(Math.max(...errors)).toBeLessThanOrEqual(nearErrors.most);
      expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(nearErrors.mean);
    });
  });

  describe('a damaged file is refused where the caller is strict', () => {
    const damaged = Object.entries(lists).flatMap(([folder, { files }]) =>
      Object.entries(files).flatMap(([name, { warnings }]) => (warnings ? [`${folder}/${name}`] : [])),
    );
    it.each(damaged)('%s', async (path) => {
      const decoding = decodeToCrop(await runtime.readFixture(path), defaultSpec, {
        loadWebpModule,
        routines: runtime.routines,
        strict: true,
      });
      await expect(decoding).rejects.toMatchObject({ name: 'CodedError', code: 'image_malformed' });
    });
  });

  describe('a file that is cut is refused where Pillow refuses it, also below the crop', () => {
    it.each(Object.keys(edgeCases.cuts) as (keyof typeof edgeCases.cuts)[])('%s', async (name) => {
      const { lengths, shown } = edgeCases.cuts[name];
      const whole = await runtime.readFixture(`edge-cases/${name}`);
      let refusals = 0;
      for (const length of lengths) {
        const outcome = await decodeToCrop(whole.subarray(0, length), defaultSpec, { loadWebpModule }).then(
          () => 'shown',
          (error) => error.code,
        );
        const expected = [(shown as number[]).includes(length) ? 'shown' : 'image_truncated'];
        if (whole.length - length <= endMarkBytes(name)) expected.push('shown');
        expect.soft(expected, `${name} cut to ${length} of ${whole.length}: ${outcome}`).toContain(outcome);
        if (outcome === 'image_truncated') refusals++;
      }
      expect(refusals).toBeGreaterThan(20);
    });
  });
}

/**
 * Bytes at the end that only say that it is the end: Pillow refuses a JPEG without EOI and a GIF without the end
 * code in its last two bytes of data; they are merely odd, for no pixel is missing.
 */
function endMarkBytes(name: string): number {
  if (name.endsWith('.jpg')) return 2;
  return name.endsWith('.gif') ? 4 : 0;
}

function parseShared(
  list: Uint8Array | undefined,
): { readonly file: string; readonly crop_sha256: string }[] {
  return list === undefined ? [] : JSON.parse(new TextDecoder().decode(list)).items;
}

async function digestHex(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
