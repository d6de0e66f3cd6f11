import type { R2Bucket } from '@cloudflare/workers-types';
import { learningViewCount } from '../../classify/learning-views.ts';
import { deletePrefix } from '../../lib/delete-prefix.ts';

const prefixOf = (classifier: string) => `classifiers/${classifier}/`;
const keyOf = (classifier: string, example: string) => `${prefixOf(classifier)}${example}.f32`;

/** R2: the features of examples. Each example is one object: its views one after the other, float32, little-endian. */
export class FeatureStore {
  readonly #bucket: R2Bucket;

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket;
  }

  /** @param views FP32, all of one length, `learningViewCount` of them. */
  async put(classifier: string, example: string, views: readonly Float32Array[]): Promise<void> {
    const length = views[0]?.length ?? 0;
    const all = new Float32Array(length * views.length);
    for (const [index, view] of views.entries()) all.set(view, index * length);
    await this.#bucket.put(keyOf(classifier, example), all.buffer);
  }

  async has(classifier: string, example: string): Promise<boolean> {
    return (await this.#bucket.head(keyOf(classifier, example))) !== null;
  }

  /** @returns the view that the service itself sees; undefined if the example is gone. */
  async readFirst(classifier: string, example: string, features: number): Promise<Float32Array | undefined> {
    const length = features * Float32Array.BYTES_PER_ELEMENT;
    const object = await this.#bucket.get(keyOf(classifier, example), { range: { offset: 0, length } });
    return object ? new Float32Array(await object.arrayBuffer()) : undefined;
  }

  /** @returns all views; none if the example is gone. */
  async readAll(classifier: string, example: string): Promise<Float32Array[]> {
    const object = await this.#bucket.get(keyOf(classifier, example));
    if (!object) return [];
    const all = new Float32Array(await object.arrayBuffer());
    const length = all.length / learningViewCount;
    return Array.from({ length: learningViewCount }, (_, view) =>
      all.subarray(view * length, (view + 1) * length),
    );
  }

  async delete(classifier: string, examples: readonly string[]): Promise<void> {
    // R2 deletes at most 1,000 keys in one call.
    for (let start = 0; start < examples.length; start += 1000) {
      await this.#bucket.delete(examples.slice(start, start + 1000).map((id) => keyOf(classifier, id)));
    }
  }

  async deleteAll(classifier: string): Promise<void> {
    await deletePrefix(this.#bucket, prefixOf(classifier));
  }
}
