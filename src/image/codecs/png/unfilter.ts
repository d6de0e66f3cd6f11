// `!` behind an index: the loops and the checked sizes keep it in range.

/** @see PNG third edition, 9.2 (filter types) */
export const filterType = { none: 0, sub: 1, up: 2, average: 3, paeth: 4 } as const;

/**
 * Undoes the filter of one row, in place.
 *
 * @param filter the byte before the row, 0 to 4.
 * @param row filtered bytes; original bytes afterwards.
 * @param previous original bytes of the row above; zeros above the first.
 * @param pixelBytes bytes of one pixel, 1 if it has less.
 * @see PNG third edition, 9.2 (filter types)
 */
export function unfilterRow(filter: number, row: Uint8Array, previous: Uint8Array, pixelBytes: number): void {
  switch (filter) {
    case filterType.sub:
      for (let i = pixelBytes; i < row.length; i++) row[i]! += row[i - pixelBytes]!;
      return;
    case filterType.up:
      for (let i = 0; i < row.length; i++) row[i]! += previous[i]!;
      return;
    case filterType.average:
      for (let i = 0; i < pixelBytes; i++) row[i]! += previous[i]! >> 1;
      for (let i = pixelBytes; i < row.length; i++) row[i]! += (row[i - pixelBytes]! + previous[i]!) >> 1;
      return;
    case filterType.paeth:
      if (pixelBytes === 3) unfilterPaeth3(row, previous);
      else if (pixelBytes === 4) unfilterPaeth4(row, previous);
      else unfilterPaeth(row, previous, pixelBytes);
  }
}

/** @see PNG third edition, 9.4 (Paeth) */
function paeth(left: number, above: number, aboveLeft: number): number {
  const a = above - aboveLeft;
  const b = left - aboveLeft;
  const distanceLeft = Math.abs(a);
  const distanceAbove = Math.abs(b);
  const distanceAboveLeft = Math.abs(a + b);
  if (distanceLeft <= distanceAbove && distanceLeft <= distanceAboveLeft) return left;
  return distanceAbove <= distanceAboveLeft ? above : aboveLeft;
}

function unfilterPaeth(row: Uint8Array, previous: Uint8Array, pixelBytes: number): void {
  const first = Math.min(pixelBytes, row.length);
  for (let i = 0; i < first; i++) row[i]! += previous[i]!;
  for (let i = pixelBytes; i < row.length; i++) {
    row[i]! += paeth(row[i - pixelBytes]!, previous[i]!, previous[i - pixelBytes]!);
  }
}

/**
 * The commonest case, RGB of 8 bits: its channels are independent chains, and neighbours stay in
 * registers (twice as fast, measured).
 */
function unfilterPaeth3(row: Uint8Array, previous: Uint8Array): void {
  let left0 = 0;
  let left1 = 0;
  let left2 = 0;
  let corner0 = 0;
  let corner1 = 0;
  let corner2 = 0;
  for (let i = 0; i + 2 < row.length; i += 3) {
    const above0 = previous[i]!;
    const above1 = previous[i + 1]!;
    const above2 = previous[i + 2]!;
    left0 = (row[i]! + paeth(left0, above0, corner0)) & 255;
    left1 = (row[i + 1]! + paeth(left1, above1, corner1)) & 255;
    left2 = (row[i + 2]! + paeth(left2, above2, corner2)) & 255;
    row[i] = left0;
    row[i + 1] = left1;
    row[i + 2] = left2;
    corner0 = above0;
    corner1 = above1;
    corner2 = above2;
  }
}

/** As above for RGBA. */
function unfilterPaeth4(row: Uint8Array, previous: Uint8Array): void {
  let left0 = 0;
  let left1 = 0;
  let left2 = 0;
  let left3 = 0;
  let corner0 = 0;
  let corner1 = 0;
  let corner2 = 0;
  let corner3 = 0;
  for (let i = 0; i + 3 < row.length; i += 4) {
    const above0 = previous[i]!;
    const above1 = previous[i + 1]!;
    const above2 = previous[i + 2]!;
    const above3 = previous[i + 3]!;
    left0 = (row[i]! + paeth(left0, above0, corner0)) & 255;
    left1 = (row[i + 1]! + paeth(left1, above1, corner1)) & 255;
    left2 = (row[i + 2]! + paeth(left2, above2, corner2)) & 255;
    left3 = (row[i + 3]! + paeth(left3, above3, corner3)) & 255;
    row[i] = left0;
    row[i + 1] = left1;
    row[i + 2] = left2;
    row[i + 3] = left3;
    corner0 = above0;
    corner1 = above1;
    corner2 = above2;
    corner3 = above3;
  }
}
