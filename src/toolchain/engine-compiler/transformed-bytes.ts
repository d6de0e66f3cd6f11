/** Transformed inputs of the pixels or tiles that are computed at once: half of a 1 MB L2 cache. */
export const maxTransformedBytes = 512 * 1024;
