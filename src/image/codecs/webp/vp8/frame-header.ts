import { malformed, truncated, unsupported } from '../../../image-error.ts';
import { BoolDecoder } from './bool-decoder.ts';
import {
  coefficientUpdateProbabilities,
  defaultCoefficientProbabilities,
} from './coefficient-probabilities.ts';
import { createQuantizer, type Quantizer, readQuantizerIndices } from './quantizers.ts';

const frameTagBytes = 3;
const keyframeHeaderBytes = 10;
const segmentCount = 4;

/** What the header says of a segment, whether or not the frame has segments. */
export interface Segment {
  readonly quantizer: Quantizer;
  /** Level of the loop filter before the mode's delta: an integer of any sign. */
  readonly filterLevel: number;
}

export interface LoopFilterHeader {
  readonly type: 'none' | 'simple' | 'normal';
  /** 0 to 7. */
  readonly sharpness: number;
  /** What is added to the level of every macroblock, and of those that are predicted in blocks of 4 x 4. */
  readonly intraDelta: number;
  readonly submodesDelta: number;
}

/** A keyframe as its header declares it. */
export interface FrameHeader {
  readonly width: number;
  readonly height: number;
  readonly segments: readonly Segment[];
  /** Of the two-level tree of segments; undefined where all macroblocks belong to segment 0. */
  readonly segmentProbabilities: readonly [number, number, number] | undefined;
  readonly loopFilter: LoopFilterHeader;
  /** [4 types][8 bands][3 contexts][11 nodes] */
  readonly coefficientProbabilities: Uint8Array;
  /** That a macroblock has coefficients; undefined where all have. */
  readonly skipProbability: number | undefined;
  /** The first partition, behind the header: the modes of all macroblocks. */
  readonly modes: BoolDecoder;
  /** Where the partitions with coefficients lie: 1, 2, 4 or 8. Row r of macroblocks is in number r modulo that. */
  readonly partitions: readonly { readonly start: number; readonly end: number }[];
}

/**
 * @param bytes whose part [start, end) is a "VP8 " chunk's payload, its padding byte included.
 * @param chunkBytes its length as the chunk declares it.
 * @throws {CodedError} `image_malformed`, `image_truncated`, `image_format_unsupported`.
 * @see RFC 6386 section 9, 19.2
 */
export function readFrameHeader(
  bytes: Uint8Array,
  start: number,
  end: number,
  chunkBytes: number,
): FrameHeader {
  if (end - start < keyframeHeaderBytes) throw truncated('webp', 'inside its frame header');
  // In range: the header is whole.
  const tag = bytes[start]! | (bytes[start + 1]! << 8) | (bytes[start + 2]! << 16);
  if ((tag & 1) !== 0) throw malformed('webp', 'its frame is not a keyframe');
  if (((tag >> 1) & 7) > 3) throw malformed('webp', 'its VP8 version is not known');
  if (((tag >> 4) & 1) === 0) throw unsupported('webp', 'a frame that is not to be shown');
  const firstPartitionBytes = tag >> 5;
  const at = start + frameTagBytes;
  if (bytes[at] !== 0x9d || bytes[at + 1] !== 0x01 || bytes[at + 2] !== 0x2a) {
    throw malformed('webp', 'no VP8 start code');
  }
  const width = (bytes[at + 3]! | (bytes[at + 4]! << 8)) & 0x3fff;
  const height = (bytes[at + 5]! | (bytes[at + 6]! << 8)) & 0x3fff;
  if (width === 0 || height === 0) throw malformed('webp', `it declares ${width} x ${height} pixels`);
  const body = start + keyframeHeaderBytes;
  if (firstPartitionBytes >= chunkBytes) throw malformed('webp', 'its first partition is larger than it');
  if (firstPartitionBytes > end - body) throw truncated('webp', 'inside its first partition');
  const partitionsStart = body + firstPartitionBytes;

  assertCode(bytes, { start: body, end: partitionsStart });
  const modes = new BoolDecoder(bytes, body, partitionsStart);
  // The colour space, and whether sums need no clamping: neither changes what libwebp shows.
  modes.readUint(2);
  const segmentation = readSegmentation(modes);
  const { level, ...loopFilter } = readLoopFilter(modes);
  if (modes.exhausted) throw malformed('webp', 'its frame header does not end');
  const partitions = locatePartitions(bytes, partitionsStart, end, 1 << modes.readUint(2));
  // Partition r is that of row r, if there is such a row.
  for (const partition of partitions.slice(0, (height + 15) >> 4)) assertCode(bytes, partition);
  const indices = readQuantizerIndices(modes);
  const { segmentProbabilities } = segmentation;
  const segments = Array.from({ length: segmentCount }, (_, segment) => ({
    quantizer: createQuantizer(segmentation.resolve(segmentation.quantizers, segment, indices.base), indices),
    filterLevel: segmentation.resolve(segmentation.filterLevels, segment, level),
  }));
  // Whether the probabilities are kept for the frame behind this one.
  modes.readFlag();
  const coefficientProbabilities = readCoefficientProbabilities(modes);
  const skipProbability = modes.readFlag() ? modes.readUint(8) : undefined;
  return {
    ...{ width, height, segments, segmentProbabilities, loopFilter },
    ...{ coefficientProbabilities, skipProbability, modes, partitions },
  };
}

interface Segmentation {
  readonly quantizers: readonly number[];
  readonly filterLevels: readonly number[];
  readonly segmentProbabilities: FrameHeader['segmentProbabilities'];
  /** A segment's value of one kind, `base` being that of the frame. */
  resolve(values: readonly number[], segment: number, base: number): number;
}

/** @see RFC 6386 section 9.3 */
function readSegmentation(header: BoolDecoder): Segmentation {
  const none = [0, 0, 0, 0];
  if (!header.readFlag()) {
    const resolve = (_values: unknown, _segment: unknown, base: number) => base;
    return { quantizers: none, filterLevels: none, segmentProbabilities: undefined, resolve };
  }
  const hasMap = header.readFlag();
  const hasValues = header.readFlag();
  const absolute = hasValues ? header.readFlag() : true;
  const readValues = (bits: number) => none.map(() => header.readOptionalInt(bits));
  const quantizers = hasValues ? readValues(7) : none;
  const filterLevels = hasValues ? readValues(6) : none;
  const readProbability = () => (header.readFlag() ? header.readUint(8) : 255);
  return {
    quantizers,
    filterLevels,
    segmentProbabilities: hasMap ? [readProbability(), readProbability(), readProbability()] : undefined,
    resolve: (values, segment, base) => values[segment]! + (absolute ? 0 : base),
  };
}

/** @see RFC 6386 section 9.4, 9.6 */
function readLoopFilter(header: BoolDecoder): LoopFilterHeader & { readonly level: number } {
  const simple = header.readFlag();
  const level = header.readUint(6);
  const sharpness = header.readUint(3);
  const deltas = new Int8Array(8);
  const hasDeltas = header.readFlag();
  if (hasDeltas && header.readFlag()) {
    // Four by reference frame, of which a keyframe has the first, then four by mode.
    for (let i = 0; i < deltas.length; i++) deltas[i] = header.readOptionalInt(6);
  }
  const type = level === 0 ? 'none' : simple ? 'simple' : 'normal';
  return { type, level, sharpness, intraDelta: deltas[0]!, submodesDelta: deltas[4]! };
}

/**
 * A length that leads beyond the end is cut there, as libwebp does it.
 *
 * @see RFC 6386 section 9.5
 */
function locatePartitions(
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
): { readonly start: number; readonly end: number }[] {
  let at = start + 3 * (count - 1);
  if (at > end) throw truncated('webp', 'inside the lengths of its partitions');
  const partitions = [];
  for (let i = 0; i < count - 1; i++) {
    // In range: `at` began behind these lengths and is no more than `end`.
    const length = start + 3 * i;
    const next = at + (bytes[length]! | (bytes[length + 1]! << 8) | (bytes[length + 2]! << 16));
    const partition = { start: at, end: Math.min(next, end) };
    partitions.push(partition);
    at = partition.end;
  }
  if (at >= end) throw truncated('webp', 'before its last partition');
  partitions.push({ start: at, end });
  return partitions;
}

/**
 * Refuses what no encoder makes: a number that is not within the first range, of 255. What it decodes to depends on the
 * width of a decoder's words.
 */
function assertCode(
  bytes: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
): void {
  if (start < end && bytes[start] === 0xff) throw malformed('webp', 'a partition begins with no code');
}

/** @see RFC 6386 section 13.4 */
function readCoefficientProbabilities(header: BoolDecoder): Uint8Array {
  return defaultCoefficientProbabilities.map((probability, i) =>
    header.readBit(coefficientUpdateProbabilities[i]!) === 1 ? header.readUint(8) : probability,
  );
}
