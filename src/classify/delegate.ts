import type { ModelManifest } from '../model/manifest.ts';
import type { ModelInput } from '../protocol/open-inference/model-inputs.ts';
import type { Tier } from '../protocol/tier/tier.ts';
import type { ClassifyChoice } from './choice.ts';
import type { Classification } from './classification.ts';

/**
 * Another tier, which runs what this isolate cannot: a model that does not fit, or an image over the decoders' limits.
 * The request waits for its answer. It always decodes exactly.
 *
 * All throw {CodedError}: `image_*` if the tier refuses the image, as if this isolate had refused it;
 * `batch_tier_unavailable` for everything else, also at the deadline.
 */
export interface Delegate {
  readonly tier: Tier;
  /** @param deadline milliseconds since 1970. */
  classify(
    bytes: Uint8Array,
    manifest: ModelManifest,
    choice: ClassifyChoice,
    deadline: number,
  ): Promise<Classification>;
  /** @returns the model's output as it is, length = output.classes. */
  infer(input: ModelInput, manifest: ModelManifest, deadline: number): Promise<Float32Array>;
  /** Makes the other tier load the model. */
  assertReady(manifest: ModelManifest, deadline: number): Promise<void>;
}
