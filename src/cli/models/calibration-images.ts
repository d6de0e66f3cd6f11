import { readFile } from 'node:fs/promises';
import { decodeToCrop } from '../../image/image-to-crop.ts';
import type { PreprocessSpec } from '../../image/preprocess-spec.ts';
import { toTensor } from '../../image/to-tensor.ts';

/** Images as the model sees them, CHW, one at a time. What cannot be decoded is told of and left out. */
export async function* readCalibrationImages(
  paths: readonly string[],
  spec: PreprocessSpec,
  onSkipped: (path: string, error: unknown) => void,
): AsyncGenerator<Float32Array> {
  for (const path of paths) {
    let crop: Uint8Array;
    try {
      ({ crop } = await decodeToCrop(await readFile(path), spec));
    } catch (error) {
      onSkipped(path, error);
      continue;
    }
    yield toTensor(crop, spec).data;
  }
}
