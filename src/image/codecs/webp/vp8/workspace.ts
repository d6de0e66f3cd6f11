/** Samples of a row of the workspace that macroblocks are made in. */
export const workspaceStride = 32;

/**
 * A macroblock is made in a workspace of 26 rows: one above and 16 of luma, then one above and 8 of chroma, Cb and Cr
 * side by side. Left of each stand four samples of the macroblock before, right of the row above luma four more.
 */
export const workspaceBytes = 26 * workspaceStride;
export const lumaAt = workspaceStride + 8;
export const chromaAt = [lumaAt + 17 * workspaceStride, lumaAt + 17 * workspaceStride + 16] as const;

/** What is kept of the last rows of a macroblock, before they are filtered: 16 of luma, 8 of each chroma plane. */
export const edgeBytes = 32;

/** Where samples go that are done: the upper left one of each plane, and the length of its rows. */
export interface PlaneTarget {
  readonly samples: Uint8Array;
  readonly stride: number;
  at: number;
}
