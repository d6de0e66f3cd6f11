import { type ClassifyModel, type ClassifyOptions, classify } from '../../classify/classify.ts';
import { CodedError } from '../../errors.ts';
import { type ChunkRunner, TierTrouble } from '../../tier/client/chunk-runner.ts';
import { toItemResult } from '../../classify/classification-result.ts';
import type { ItemResult } from './item-result.ts';

export interface EdgeRunnerOptions {
  /** @throws {CodedError} `model_*`. */
  readonly findModel: (name: string, version: string) => Promise<ClassifyModel>;
  readonly image: ClassifyOptions['image'];
  readonly transcode: ClassifyOptions['transcode'];
  readonly toProblem: (error: unknown) => { code: string; status: number; detail: string };
}

/** Runs items in this Worker, one after the other: the way of deployments without a Node tier. */
export function createEdgeRunner({ findModel, image, transcode, toProblem }: EdgeRunnerOptions): ChunkRunner {
  return {
    tier: 'edge',
    async *run({ model: name, modelVersion, topK }, _count, items) {
      const model = await findModel(name, modelVersion).catch(toTrouble);
      const options = { topK, ...(image && { image }), ...(transcode && { transcode }) };
      for await (const { index, bytes } of items) {
        let result: ItemResult;
        try {
          result = toItemResult(await classify(bytes, model, options), model.manifest, 'edge');
        } catch (error) {
          if (isModelTrouble(error)) toTrouble(error);
          result = { problem: toProblem(error) };
        }
        yield { index, result };
      }
    },
  };
}

/** The model's trouble is not the image's: the item waits until the model is there again. */
function isModelTrouble(error: unknown): error is CodedError {
  return error instanceof CodedError && error.code.startsWith('model_');
}

function toTrouble(error: unknown): never {
  const code = error instanceof CodedError ? error.code : 'internal';
  const retryAfterSeconds = error instanceof CodedError ? error.retryAfterSeconds : undefined;
  throw new TierTrouble(code, 'The model cannot be run here now.', {
    cause: error,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}
