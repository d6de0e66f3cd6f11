import type { R2Bucket } from '@cloudflare/workers-types';
import { batchPrefix } from './batch.ts';

/** Deletes images and results of a batch; may be repeated after it was cut short. */
export async function deleteBatchObjects(bucket: R2Bucket, batchId: string): Promise<void> {
  for (;;) {
    const { objects, truncated } = await bucket.list({ prefix: batchPrefix(batchId) });
    if (objects.length > 0) await bucket.delete(objects.map(({ key }) => key));
    if (!truncated) return;
  }
}
