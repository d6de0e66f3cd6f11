import { CodedError } from '../errors.ts';
import type { InferenceSession } from '../inference/session.ts';
import { applyHead, type Head, measureSimilarity } from '../model/head.ts';
import { toVector } from './embedding.ts';

/**
 * A backbone's session with a head in place of its own classifier.
 *
 * @returns a session whose `run` gives FP32 (1, classes), before softmax. Releasing it releases nothing.
 * @throws {CodedError} (from `run`) `embedding_unsupported`; `model_corrupt` if the head is one of another backbone.
 */
export function toHeadSession(backbone: InferenceSession, head: Head): InferenceSession {
  return {
    inputName: backbone.inputName,
    outputName: backbone.outputName,
    async run(input) {
      if (!backbone.runWithFeatures) {
        throw new CodedError('embedding_unsupported', 'The backbone does not run on the int8 engine.');
      }
      const layers = head.blocks.length > 1 ? 'all' : 'last';
      const { features } = await backbone.runWithFeatures(input, layers);
      if (
        features.length !== head.blocks.length ||
        features.some(({ length }, i) => length !== head.blocks[i])
      ) {
        throw new CodedError('model_corrupt', 'The head was made for another backbone.');
      }
      const vector = toVector(features, true);
      return {
        datatype: 'FP32',
        shape: [1, head.classes],
        data: applyHead(head, vector),
        similarity: measureSimilarity(head, vector),
      };
    },
    release: () => undefined,
  };
}
