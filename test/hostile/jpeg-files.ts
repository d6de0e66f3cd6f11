import { concat } from './png-files.ts';

/** A marker segment; the length is added. */
export function segment(code: number, payload: readonly number[] | Uint8Array): Uint8Array {
  const length = payload.length + 2;
  return concat([Uint8Array.of(0xff, code, length >> 8, length & 255), Uint8Array.from(payload)]);
}

export const startOfImage = Uint8Array.of(0xff, 0xd8);
export const endOfImage = Uint8Array.of(0xff, 0xd9);

/** Quantization table 0 with all divisors 16. */
export const quantization = segment(0xdb, [0, ...Array<number>(64).fill(16)]);

/**
 * DC and AC table 0 with a single code each, the bit 0: difference 0, and end of block. A scan of
 * zero bytes is then a valid grey image at two bits a block.
 */
export const zeroBitTables = concat([
  segment(0xc4, [0x00, 1, ...Array<number>(15).fill(0), 0]),
  segment(0xc4, [0x10, 1, ...Array<number>(15).fill(0), 0]),
]);

export interface FrameParts {
  readonly code?: number;
  readonly precision?: number;
  readonly width: number;
  readonly height: number;
  /** Sampling factors of each component, as the byte 0xHV. */
  readonly sampling?: readonly number[];
}

export function frame({
  code = 0xc0,
  precision = 8,
  width,
  height,
  sampling = [0x11],
}: FrameParts): Uint8Array {
  return segment(code, [
    precision,
    height >> 8,
    height & 255,
    width >> 8,
    width & 255,
    sampling.length,
    ...sampling.flatMap((factors, i) => [i + 1, factors, 0]),
  ]);
}

/** A scan header for components 1 to `count`, all with tables 0. */
export function scan(count: number, spectralStart = 0, spectralEnd = 63, approximation = 0): Uint8Array {
  const components = Array.from({ length: count }, (_, i) => [i + 1, 0]).flat();
  return segment(0xda, [count, ...components, spectralStart, spectralEnd, approximation]);
}

/** A grey or three-component image of one colour, of any size, in a file of about two bits a block. */
export function flatJpeg(parts: FrameParts): Uint8Array {
  const { width, height, sampling = [0x11] } = parts;
  const maxH = Math.max(...sampling.map((factors) => factors >> 4));
  const maxV = Math.max(...sampling.map((factors) => factors & 15));
  const mcus = Math.ceil(width / (8 * maxH)) * Math.ceil(height / (8 * maxV));
  const blocksPerMcu = sampling.length === 1 ? 1 : sampling.reduce((sum, f) => sum + (f >> 4) * (f & 15), 0);
  const blocks = sampling.length === 1 ? Math.ceil(width / 8) * Math.ceil(height / 8) : mcus * blocksPerMcu;
  const tables = concat([startOfImage, quantization, zeroBitTables, frame(parts)]);
  if (parts.code !== 0xc2) {
    return concat([tables, scan(sampling.length), new Uint8Array(Math.ceil((blocks * 2) / 8)), endOfImage]);
  }
  // Progressive: all DC in one scan, then the AC of each component in one of its own.
  const acScans = sampling.flatMap((factors, i) => {
    const across = Math.ceil(Math.ceil((width * (factors >> 4)) / maxH) / 8);
    const down = Math.ceil(Math.ceil((height * (factors & 15)) / maxV) / 8);
    return [segment(0xda, [1, i + 1, 0, 1, 63, 0]), new Uint8Array(Math.ceil((across * down) / 8))];
  });
  return concat([
    tables,
    scan(sampling.length, 0, 0),
    new Uint8Array(Math.ceil(blocks / 8)),
    ...acScans,
    endOfImage,
  ]);
}

/** Positions of all marker codes outside entropy-coded data, and of restart markers inside. */
export function markerPositions(bytes: Uint8Array): number[] {
  const positions: number[] = [];
  for (let i = 0; i + 1 < bytes.length; i++) {
    if (bytes[i] === 0xff && bytes[i + 1] !== 0 && bytes[i + 1] !== 0xff) positions.push(i);
  }
  return positions;
}
