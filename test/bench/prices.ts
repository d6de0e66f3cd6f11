/** Of Cloudflare's pages on prices, November 2026. Dollars. */
export const price = {
  request: 0.3 / 1e6,
  cpuMs: 0.02 / 1e6,
  r2Write: 4.5 / 1e6,
  r2Read: 0.36 / 1e6,
  d1RowWritten: 1 / 1e6,
  d1RowRead: 0.001 / 1e6,
  queueOperation: 0.4 / 1e6,
  plan: 5,
  /** An image by Workers AI's `@cf/microsoft/resnet-50`. */
  workersAiImage: 2.51 / 1e6,
} as const;

/** Dollars for a million requests of one image each, without the plan's own price. */
export const toDollarsPerMillion = (cpuMs: number) => 1e6 * (price.request + cpuMs * price.cpuMs);
