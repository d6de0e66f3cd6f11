import type { R2Bucket } from '@cloudflare/workers-types';

/** Deletes every object whose key begins so; may be repeated after it was cut short. */
export async function deletePrefix(bucket: R2Bucket, prefix: string): Promise<void> {
  for (;;) {
    const { objects, truncated } = await bucket.list({ prefix });
    if (objects.length > 0) await bucket.delete(objects.map(({ key }) => key));
    if (!truncated) return;
  }
}
