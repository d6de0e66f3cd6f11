import type { ModelManifest } from '../model/manifest.ts';
import type { ModelInput } from '../protocol/open-inference/model-inputs.ts';
import type { Tier } from '../protocol/tier/tier.ts';
import type { ClassifyChoice } from './choice.ts';
import type { Classification } from './classification.ts';

/**
 * Another tier, asked at once for what this isolate must not run itself: a model that does not fit, an
 * image over the decoders' limits. It always decodes exactly.
 *
 * All throw {CodedError}: `image_*` if the tier says so of the image, as if it had been found here;
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
  /** Loads the model there. */
  assertReady(manifest: ModelManifest, deadline: number): Promise<void>;
}
