import type { ModelManifest } from '../../model/manifest.ts';

/**
 * Body of `GET /v2/models/{name}/config`, which Triton's clients ask for: its model configuration, as far as it says
 * something of a model that is served here.
 *
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_configuration.md
 */
export function toModelConfig(
  { name, input, output }: ModelManifest,
  platform: string,
  maxBatchSize: number,
) {
  return {
    name,
    platform,
    max_batch_size: maxBatchSize,
    input: [{ name: input.name, data_type: 'TYPE_FP32', format: 'FORMAT_NCHW', dims: input.shape.slice(1) }],
    output: [{ name: output.name, data_type: 'TYPE_FP32', dims: [output.classes] }],
  };
}

export interface ModelCounts {
  /** Images and tensors that were classified, and that were not. */
  readonly succeeded: number;
  readonly failed: number;
}

/**
 * Body of `GET /v2/models/{name}/stats`. Triton has nanoseconds beside each count; they are left out, because a Worker's
 * clock stands still while it computes.
 *
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md
 */
export function toModelStats({ name, version }: ModelManifest, { succeeded, failed }: ModelCounts) {
  return {
    model_stats: [
      {
        name,
        version,
        inference_count: succeeded,
        execution_count: succeeded,
        inference_stats: { success: { count: succeeded }, fail: { count: failed } },
      },
    ],
  };
}
