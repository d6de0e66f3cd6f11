/** Rows and columns of a tile: FP64, row-major, the piece that the routines work on. */
export const tileSide = 64;
export const tileRowBytes = tileSide * 8;
export const tileBytes = tileSide * tileRowBytes;

/** Integers in a row of a panel: INT16, `tileSide` rows, row-major. With longer rows, lanes are summed less often. */
export const panelDepth = 512;
export const panelRowBytes = panelDepth * 2;
/** Bytes of a panel's row that are multiplied at once. */
export const depthStepBytes = 64;
export const panelBytes = tileSide * panelRowBytes;

/** Columns that a routine computes at once: the columns of a right-hand side are a multiple. */
export const stripColumns = 8;
export const stripBytes = stripColumns * 8;
/** Products of INT16 that the routines make in the time that a plain loop takes for one. */
export const int16Speed = 30;
