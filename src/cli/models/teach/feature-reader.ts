import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toVector } from '../../../classify/embedding.ts';
import { decodeToCrop } from '../../../image/image-to-crop.ts';
import { toTensor } from '../../../image/to-tensor.ts';
import { locateModelFile } from '../../model-files.ts';
import { stateDir } from '../../paths.ts';
import { readImageOptions } from '../image-options.ts';
import { bootEdgeRuntime, loadFile } from '../node-runtime.ts';
import type { LocalModel } from '../workspace.ts';

/** Reads the features of photos, and keeps them by content: the same photo costs a file read the next time. */
export interface FeatureReader {
  /** Values of each block, first block first. Known after the first photo. */
  readonly blocks: readonly number[];
  /**
   * @returns FP32, of length 1: all blocks side by side. First of the photo as the service sees it, then mirrored, then
   *   of its middle: what there is to learn from.
   * @throws {CodedError} `image_*` if the bytes are no photo that can be read.
   */
  read(bytes: Uint8Array): Promise<readonly Float32Array[]>;
}

const viewCount = 3;
/** The middle view shows this share of the crop's sides. */
const middleShare = 0.85;

/** @throws {Error} if the model does not run on the int8 engine. */
export async function openFeatureReader({ folder, manifest }: LocalModel): Promise<FeatureReader> {
  const { rni8 } = manifest.files;
  if (!rni8) {
    throw new Error(
      `${manifest.name}/${manifest.version} does not run on the int8 engine, which gives features.`,
    );
  }
  const path = await locateModelFile(folder, manifest, 'rni8');
  const session = await loadFile(await bootEdgeRuntime('resnet-int8'), path, manifest.runtimeMemoryBytes);
  const kept = join(stateDir, 'features', rni8.sha256.slice(0, 16));
  await mkdir(kept, { recursive: true });
  const spec = manifest.preprocess;
  const side = spec.centerCrop;
  const empty = {
    datatype: 'FP32',
    shape: [1, 3, side, side],
    data: new Float32Array(3 * side * side),
  } as const;
  const { features } = await session.runWithFeatures!(empty, 'all');
  const blocks = features.map(({ length }) => length);
  return {
    blocks,
    async read(bytes) {
      const file = join(kept, `${createHash('sha256').update(bytes).digest('hex')}.f32`);
      const known = await readFile(file).catch(() => undefined);
      if (known) return split(new Float32Array(new Uint8Array(known).buffer));
      const options = readImageOptions();
      const { crop } = await decodeToCrop(bytes, spec, options);
      const middle = { ...spec, resizeShortestEdge: Math.round(spec.resizeShortestEdge / middleShare) };
      const views = [crop, mirror(crop, side), (await decodeToCrop(bytes, middle, options)).crop];
      const vectors: number[] = [];
      for (const view of views) {
        const run = await session.runWithFeatures!(toTensor(view, spec), 'all');
        vectors.push(...toVector(run.features, true));
      }
      const all = Float32Array.from(vectors);
      // Whole or not at all, also where two processes read the same photo.
      await writeFile(`${file}.${process.pid}`, new Uint8Array(all.buffer));
      await rename(`${file}.${process.pid}`, file);
      return split(all);
    },
  };
}

function split(all: Float32Array): Float32Array[] {
  const length = all.length / viewCount;
  return Array.from({ length: viewCount }, (_, view) => all.subarray(view * length, (view + 1) * length));
}

/** @param crop RGB uint8, HWC, side x side. */
function mirror(crop: Uint8Array, side: number): Uint8Array {
  const mirrored = new Uint8Array(crop.length);
  for (let pixel = 0; pixel < side * side; pixel++) {
    const column = pixel % side;
    const from = (pixel - column + side - 1 - column) * 3;
    mirrored.set(crop.subarray(from, from + 3), pixel * 3);
  }
  return mirrored;
}
