import { CodedError } from '../errors.ts';
import type { FeatureLayers, InferenceSession, ModelOutput } from '../inference/session.ts';
import type { Fp32Tensor } from '../lib/tensor.ts';
import { applyHead, type Head, measureSimilarity } from '../model/head.ts';
import { toVector } from './embedding.ts';

/**
 * A backbone's session with a head in place of its own classifier.
 *
 * @returns a session whose output is FP32 (1, classes), before softmax. Releasing it releases nothing.
 * @throws {CodedError} (from running it) `embedding_unsupported`; `model_corrupt` if the head belongs to another backbone.
 */
export function toHeadSession(backbone: InferenceSession, head: Head): InferenceSession {
  const runWithFeatures = async (input: Fp32Tensor, layers: FeatureLayers) => {
    if (!backbone.runWithFeatures) {
      throw new CodedError('embedding_unsupported', 'The backbone does not run on the int8 engine.');
    }
    const wanted = head.blocks.length > 1 ? 'all' : layers;
    const { features } = await backbone.runWithFeatures(input, wanted);
    return {
      output: classifyFeatures(head, features),
      features: layers === 'all' ? features : features.slice(-1),
    };
  };
  return {
    inputName: backbone.inputName,
    outputName: backbone.outputName,
    run: async (input) => (await runWithFeatures(input, 'last')).output,
    runWithFeatures,
    release: () => undefined,
  };
}

/**
 * @param features FP32, one array a block, first block first: all of the backbone's, or at least those of the head.
 * @throws {CodedError} `model_corrupt` if the head belongs to another backbone.
 */
export function classifyFeatures(head: Head, features: readonly Float32Array[]): ModelOutput {
  const own = features.slice(-head.blocks.length);
  if (own.length !== head.blocks.length || own.some(({ length }, i) => length !== head.blocks[i])) {
    throw new CodedError('model_corrupt', 'The head was made for another backbone.');
  }
  const vector = toVector(own, true);
  return {
    datatype: 'FP32',
    shape: [1, head.classes],
    data: applyHead(head, vector),
    similarity: measureSimilarity(head, vector),
  };
}
