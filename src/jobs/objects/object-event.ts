import { z } from 'zod';

/**
 * A message of R2's event notifications. Only the place of the change is read. Messages come twice, late and out of
 * order, and the bucket itself says what is there now.
 *
 * @see https://developers.cloudflare.com/r2/buckets/event-notifications/
 */
const objectEventSchema = z.object({
  bucket: z.string(),
  object: z.object({ key: z.string().min(1) }),
});

export interface ObjectFilter {
  /** Name of the bucket whose objects are labelled. */
  readonly bucket: string;
  readonly prefix: string;
  /** Empty for all keys. */
  readonly suffixes: readonly string[];
}

/** @returns the key to look at; undefined for a message of another kind, or one that the filter leaves out. */
export function readObjectKey(
  message: unknown,
  { bucket, prefix, suffixes }: ObjectFilter,
): string | undefined {
  const { success, data } = objectEventSchema.safeParse(message);
  if (!success || data.bucket !== bucket) return undefined;
  const { key } = data.object;
  const matches =
    key.startsWith(prefix) && (suffixes.length === 0 || suffixes.some((suffix) => key.endsWith(suffix)));
  return matches ? key : undefined;
}
