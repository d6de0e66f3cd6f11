import { malformed, truncated, unsupported } from '../../image-error.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** Marker codes, the byte after 0xFF. @see ITU-T T.81 table B.1 */
export const marker = {
  startOfFrameBaseline: 0xc0,
  startOfFrameExtended: 0xc1,
  startOfFrameProgressive: 0xc2,
  huffmanTables: 0xc4,
  jpegExtension: 0xc8,
  arithmeticConditioning: 0xcc,
  restart0: 0xd0,
  restart7: 0xd7,
  startOfImage: 0xd8,
  endOfImage: 0xd9,
  startOfScan: 0xda,
  quantizationTables: 0xdb,
  restartInterval: 0xdd,
  app0: 0xe0,
  app1: 0xe1,
  app14: 0xee,
  app15: 0xef,
  numberOfLines: 0xdc,
  comment: 0xfe,
  temporary: 0x01,
} as const;

/** A marker and its payload, without the two bytes of the length. `start === end` if there is no payload. */
export interface Segment {
  readonly code: number;
  readonly start: number;
  readonly end: number;
}

/** Zigzag index to index in a block of 8 x 8, row-major. @see ITU-T T.81 figure A.6 */
export const zigzag = Uint8Array.of(
  0,
  1,
  8,
  16,
  9,
  2,
  3,
  10,
  17,
  24,
  32,
  25,
  18,
  11,
  4,
  5,
  12,
  19,
  26,
  33,
  40,
  48,
  41,
  34,
  27,
  20,
  13,
  6,
  7,
  14,
  21,
  28,
  35,
  42,
  49,
  56,
  57,
  50,
  43,
  36,
  29,
  22,
  15,
  23,
  30,
  37,
  44,
  51,
  58,
  59,
  52,
  45,
  38,
  31,
  39,
  46,
  53,
  60,
  61,
  54,
  47,
  55,
  62,
  63,
);

/**
 * Finds the next marker segment at or after `position`. Bytes between segments are skipped, as
 * libjpeg's `next_marker` does: they are an error of the writer that changes no pixel. For the same reason a segment that
 * nobody has to read may have a length below 2: it is then taken as empty.
 *
 * @returns undefined if the file ends first.
 * @throws {CodedError} `image_malformed` if the length of another segment is below 2, `image_truncated` if the
 *   payload is cut.
 * @see ITU-T T.81 B.1.1.4; libjpeg jdmarker.c, `skip_variable`
 */
export function nextSegment(bytes: Uint8Array, position: number): Segment | undefined {
  let at = position;
  for (;;) {
    at = bytes.indexOf(0xff, at);
    if (at < 0) return undefined;
    while (bytes[at] === 0xff) at++;
    if (at >= bytes.length) return undefined;
    const code = bytes[at++]!;
    if (code === 0) continue;
    if (isStandalone(code)) {
      if (code === marker.endOfImage) return { code, start: at, end: at };
      continue;
    }
    if (at + 2 > bytes.length) throw truncated('jpeg', 'a segment has no length');
    const length = (bytes[at]! << 8) | bytes[at + 1]!;
    if (length < 2 && !isSkippable(code)) throw malformed('jpeg', `a segment of length ${length}`);
    if (at + length > bytes.length) throw truncated('jpeg', 'inside a header segment');
    return { code, start: at + 2, end: at + Math.max(length, 2) };
  }
}

/** True for SOF0 to SOF15: 0xC0 to 0xCF but for DHT, JPG and DAC, which share the range. */
export function isStartOfFrame(code: number): boolean {
  return (
    code >= 0xc0 &&
    code <= 0xcf &&
    code !== marker.huffmanTables &&
    code !== marker.jpegExtension &&
    code !== marker.arithmeticConditioning
  );
}

/**
 * Reads precision and size from a frame header and refuses the processes that are not decoded here.
 *
 * @see ITU-T T.81 B.2.2
 */
export function parseFrameSize(bytes: Uint8Array, frame: Segment): { width: number; height: number } {
  const { code, start, end } = frame;
  if (end - start < 6) throw malformed('jpeg', 'the frame header is too short');
  if (code > marker.startOfFrameProgressive) throw unsupported('jpeg', processName(code));
  const precision = bytes[start];
  if (precision !== 8) throw unsupported('jpeg', `${precision}-bit samples`);
  const height = (bytes[start + 1]! << 8) | bytes[start + 2]!;
  const width = (bytes[start + 3]! << 8) | bytes[start + 4]!;
  if (width === 0 || height === 0) throw malformed('jpeg', `it declares ${width} x ${height} pixels`);
  return { width, height };
}

/** True for segments whose payload may be missing: applications' data, comments and DNL. */
function isSkippable(code: number): boolean {
  return (
    (code >= marker.app0 && code <= marker.app15) || code === marker.comment || code === marker.numberOfLines
  );
}

function isStandalone(code: number): boolean {
  return (code >= marker.restart0 && code <= marker.endOfImage) || code === marker.temporary;
}

function processName(code: number): string {
  if (code === 0xc3 || code === 0xc7 || code === 0xcb || code === 0xcf) return 'lossless coding';
  return code >= 0xc9 ? 'arithmetic coding' : 'hierarchical coding';
}
