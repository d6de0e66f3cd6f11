import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { learningViewCount, readLearningViews } from '../../../classify/learning-views.ts';
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
   * @returns FP32, of length 1, one vector a view: see `readLearningViews`.
   * @throws {CodedError} `image_*` if the bytes are no photo that can be read.
   */
  read(bytes: Uint8Array): Promise<readonly Float32Array[]>;
}

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
      const vectors = await readLearningViews(
        spec,
        async (own) => toTensor((await decodeToCrop(bytes, own, options)).crop, own),
        async (input) => (await session.runWithFeatures!(input, 'all')).features,
      );
      const all = Float32Array.from(vectors.flatMap((vector) => [...vector]));
      // Whole or not at all, also where two processes read the same photo.
      await writeFile(`${file}.${process.pid}`, new Uint8Array(all.buffer));
      await rename(`${file}.${process.pid}`, file);
      return split(all);
    },
  };
}

function split(all: Float32Array): Float32Array[] {
  const length = all.length / learningViewCount;
  return Array.from({ length: learningViewCount }, (_, view) =>
    all.subarray(view * length, (view + 1) * length),
  );
}
