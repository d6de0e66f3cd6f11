import { CodedError } from '../../errors.ts';
import { toTensor } from '../../image/to-tensor.ts';
import type { Fp32Tensor } from '../../lib/tensor.ts';
import type { ModelManifest } from '../../model/manifest.ts';
import type { OpenTensor } from './tensor.ts';
import { tensorError } from './tensor.ts';

/** One row of a request's batch: ready for the model, or an image file that has to be decoded first. */
export type ModelInput =
  | { readonly kind: 'tensor'; readonly tensor: Fp32Tensor }
  | { readonly kind: 'image'; readonly bytes: Uint8Array };

const channels = 3;

/**
 * What an image classifier takes as its one input:
 * FP32 (n, 3, height, width), normalised as the manifest says, straight into the graph;
 * UINT8 (n, height, width, 3), RGB pixels of the crop, normalised here;
 * BYTES (n) or (n, 1), image files.
 *
 * @returns n inputs, in order; their tensors are (1, 3, height, width).
 * @throws {CodedError} `tensor_invalid` if name or shape do not fit the model; `too_many_images`.
 */
export function toModelInputs(
  inputs: readonly OpenTensor[],
  manifest: ModelManifest,
  maxImages: number,
): readonly ModelInput[] {
  const [input, ...others] = inputs;
  if (!input || others.length > 0) {
    throw new CodedError('tensor_invalid', `The model has one input, got: ${inputs.length}.`);
  }
  if (input.name !== manifest.input.name) {
    throw tensorError('inputs[0].name', `"${manifest.input.name}"`, input.name);
  }
  const count = input.shape[0] ?? 0;
  if (count > maxImages) {
    throw new CodedError('too_many_images', `${count} images, at most ${maxImages} are taken.`);
  }
  const side = manifest.preprocess.centerCrop;
  const size = channels * side * side;
  switch (input.datatype) {
    case 'BYTES':
      assertShape(input.shape, input.shape.length === 1 ? [count] : [count, 1]);
      return input.data.map((bytes) => ({ kind: 'image', bytes }));
    case 'UINT8':
      assertShape(input.shape, [count, side, side, channels]);
      return Array.from({ length: count }, (_, row) => ({
        kind: 'tensor',
        tensor: toTensor(input.data.subarray(row * size, (row + 1) * size), manifest.preprocess),
      }));
    case 'FP32':
      assertShape(input.shape, [count, channels, side, side]);
      return Array.from({ length: count }, (_, row) => ({
        kind: 'tensor',
        tensor: {
          datatype: 'FP32',
          shape: [1, channels, side, side],
          data: input.data.subarray(row * size, (row + 1) * size),
        },
      }));
  }
}

function assertShape(shape: readonly number[], expected: readonly number[]): void {
  const wrong = expected.findIndex((size, axis) => shape[axis] !== size);
  if (wrong >= 0) throw tensorError(`inputs[0].shape[${wrong}]`, String(expected[wrong]), shape[wrong]);
  if (shape.length !== expected.length || shape.length === 0) {
    throw tensorError('inputs[0].shape', `of ${expected.length} dimensions`, shape);
  }
}
