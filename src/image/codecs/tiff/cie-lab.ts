// `!` behind an index: the loops and the checked sizes keep it in range.

/** Nodes a side of the table that Little CMS makes of a transform with three channels. */
const side = 33;
/** White of the profile connection space. @see ICC.1:2022 6.3.4.3 */
const d50 = [0.9642, 1, 0.8249] as const;
/** What a full scale of 16 bits stands for in XYZ. */
const maxXyz = 1 + 32_767 / 32_768;
/** From XYZ to linear sRGB, of primaries that were adapted to D50 by the Bradford method; times `maxXyz`. */
const fromXyz = [
  [6.26827708069641, -3.2343685646958016, -0.9813731532183346],
  [-1.9574671393474479, 3.8322017178972496, 0.06686577801362038],
  [0.14392565943970476, -0.4579807585679834, 2.8114645655935213],
] as const;

const { fround } = Math;

/** By an 8-bit sample, the node below it, and how far it is on the way to the next, x 65536. */
const cellOf = new Uint8Array(256);
const restOf = new Uint16Array(256);
for (let sample = 0; sample < 256; sample++) {
  const position = sample * 257 * (side - 1);
  const fixed = position + Math.floor((position + 0x7fff) / 0xffff);
  cellOf[sample] = fixed >> 16;
  restOf[sample] = fixed & 0xffff;
}

const lightnessStride = side * side * 3;
const aStride = side * 3;
const bStride = 3;
/** At the upper ends there is no next node; what stands there counts nothing. */
const padding = lightnessStride + aStride + bStride;
let nodes: Uint16Array | undefined;

/**
 * Converts one pixel as Pillow does: by a table of Little CMS, from CIE L*a*b* to sRGB, perceptual, interpolated in
 * tetrahedra.
 *
 * @param lightness 0 to 255.
 * @param a of two's complement, in 8 bits.
 * @param b likewise.
 * @see Pillow src/PIL/Image.py, `convert`; Little CMS src/cmsopt.c, `OptimizeByResampling`, and src/cmsintrp.c,
 *   `TetrahedralInterp16`
 */
export function labToRgb(lightness: number, a: number, b: number, rgb: Uint8Array, at: number): void {
  nodes ??= createNodes();
  const aSample = a ^ 128;
  const bSample = b ^ 128;
  const node = cellOf[lightness]! * lightnessStride + cellOf[aSample]! * aStride + cellOf[bSample]! * bStride;
  let longest = restOf[lightness]!;
  let middle = restOf[aSample]!;
  let shortest = restOf[bSample]!;
  // From node to node along the axes, the longest way first.
  let longestStride = lightnessStride;
  let middleStride = aStride;
  let shortestStride = bStride;
  if (longest < middle) {
    [longest, middle] = [middle, longest];
    [longestStride, middleStride] = [middleStride, longestStride];
  }
  if (middle < shortest) {
    [middle, shortest] = [shortest, middle];
    [middleStride, shortestStride] = [shortestStride, middleStride];
  }
  if (longest < middle) {
    [longest, middle] = [middle, longest];
    [longestStride, middleStride] = [middleStride, longestStride];
  }
  const second = node + longestStride;
  const third = second + middleStride;
  const last = third + shortestStride;
  for (let channel = 0; channel < 3; channel++) {
    const v0 = nodes[node + channel]!;
    const v1 = nodes[second + channel]!;
    const v2 = nodes[third + channel]!;
    const v3 = nodes[last + channel]!;
    const sum = (v1 - v0) * longest + (v2 - v1) * middle + (v3 - v2) * shortest + 0x8001;
    const wide = (v0 + Math.floor((sum + Math.floor(sum / 65_536)) / 65_536)) & 0xffff;
    rgb[at + channel] = Math.floor((wide * 65_281 + 8_388_608) / 2 ** 24);
  }
}

/** 216 KB. */
function createNodes(): Uint16Array {
  const table = new Uint16Array(side ** 3 * 3 + padding);
  const grid = Array.from({ length: side }, (_, i) =>
    fround(Math.floor((i * 65_535) / (side - 1) + 0.5) / 65_535),
  );
  let at = 0;
  for (const lightness of grid) {
    const y = (lightness * 100 + 16) / 116;
    for (const a of grid) {
      const x = y + 0.002 * (a * 255 - 128);
      for (const b of grid) {
        const z = y - 0.005 * (b * 255 - 128);
        const xyz = [x, y, z].map((value, i) => fround((fromRoot(value) * d50[i]!) / maxXyz));
        for (const row of fromXyz) {
          const linear = fround(row[0] * xyz[0]! + row[1] * xyz[1]! + row[2] * xyz[2]!);
          const scaled = Math.floor(fround(toGamma(linear)) * 65_535 + 0.5);
          table[at++] = Math.max(0, Math.min(65_535, scaled));
        }
      }
    }
  }
  return table;
}

/** @see ISO/CIE 11664-4 */
function fromRoot(root: number): number {
  return root <= 24 / 116 ? (108 / 841) * (root - 16 / 116) : root ** 3;
}

/** The inverse of sRGB's curve. @see IEC 61966-2-1 */
function toGamma(linear: number): number {
  const slope = 1 / 1.055;
  const offset = 0.055 / 1.055;
  const threshold = (slope * 0.040_45 + offset) ** 2.4;
  return linear >= threshold ? (linear ** (1 / 2.4) - offset) / slope : linear * 12.92;
}
