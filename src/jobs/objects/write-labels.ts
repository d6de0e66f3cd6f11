import type { R2Bucket } from '@cloudflare/workers-types';
import type { ItemResult } from '../../classify/classification.ts';
import { maxCustomMetadataBytes } from '../../limits.ts';

/**
 * Writes labels into an object's custom metadata, beside the metadata that is there. R2 cannot change only the metadata,
 * so the object is written again, which raises an event. The consumer does nothing for that event, because the row of
 * the new etag is stored by then, or the metadata is already right.
 *
 * @returns the object's etag now; undefined if somebody else has changed it.
 */
export async function writeLabels(
  bucket: R2Bucket,
  key: string,
  etag: string,
  result: ItemResult,
): Promise<string | undefined> {
  if ('problem' in result) return etag;
  const onlyIf = { etagMatches: etag };
  const object = await bucket.get(key, { onlyIf });
  if (!object || !('body' in object)) return undefined;
  const { httpMetadata, customMetadata: before, storageClass } = object;
  const labels = {
    'resnet-edge-model': `${result.model}/${result.model_version}`,
    'resnet-edge-labels': JSON.stringify(result.predictions),
  };
  const customMetadata = { ...before, ...labels };
  const same = Object.entries(labels).every(([name, value]) => before?.[name] === value);
  if (same || toBytes(customMetadata) > maxCustomMetadataBytes) {
    await object.body.cancel();
    return etag;
  }
  const written = await bucket.put(key, object.body, {
    onlyIf,
    customMetadata,
    storageClass,
    ...(httpMetadata && { httpMetadata }),
  });
  return written?.etag;
}

/** Bytes of names and values: at least as many as R2 counts. */
function toBytes(metadata: Readonly<Record<string, string>>): number {
  return new TextEncoder().encode(JSON.stringify(metadata)).byteLength;
}
