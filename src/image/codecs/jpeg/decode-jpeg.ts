import { maxDecoderBytes, maxJpegBlockVisits, maxJpegScans } from '../../../limits.ts';
import type { Warn } from '../../../warnings.ts';
import type { RowSink } from '../../image.ts';
import { malformed, tooComplex, truncated } from '../../image-error.ts';
import type { PixelArena } from '../../pixel-arena.ts';
import { BlockSmoother } from './block-smoother.ts';
import { type JpegColour, toColour } from './colour.ts';
import { blockBytes, ComponentPlane, createBlock, planeBytes } from './component-plane.ts';
import { blockSide, blockSize, type JpegFrame, parseFrame } from './frame.ts';
import { RowOutput, rowOutputBytes } from './row-output.ts';
import { JpegScan } from './scan.ts';
import { parseScanHeader } from './scan-header.ts';
import { isStartOfFrame, marker, nextSegment, type Segment } from './segments.ts';
import { JpegTables } from './tables.ts';
import { accelerate, scanRoutineBytes } from './wasm/accelerate.ts';

export type JpegOutputSide = 1 | 2 | 4 | 8;

/** What a file says about a JPEG stream inside it. */
export interface JpegContainer {
  /** Tables that the stream may leave out. */
  readonly tables: JpegTables | undefined;
  /** What the components mean, whatever the stream's markers say. */
  readonly colour: JpegColour;
  /** Whether samples of smaller components are repeated; libjpeg's default is to interpolate between them. */
  readonly upsampling: 'default' | 'replicate';
  /** Called before anything in proportion to the frame is allocated. Throws if the frame is not the declared one. */
  readonly assertFrame: (frame: JpegFrame) => void;
}

export interface JpegOptions {
  /**
   * Pixels made of each block of 8 x 8, per side: 8, or fewer to decode the image reduced to side/8 of its size, rounded
   * up. Each pixel is then about the mean of the pixels that it replaces, and the sink's window counts these larger pixels.
   */
  readonly side?: JpegOutputSide;
  /** If given, WebAssembly routines make the rows: the same bytes, faster. */
  readonly arena?: PixelArena | undefined;
  /** Given for a stream that is part of another file. */
  readonly container?: JpegContainer | undefined;
  /** Called with `jpeg_data_damaged` and `jpeg_scans_missing`. The pixels are then those of libjpeg-turbo. */
  readonly warn?: Warn;
}

/**
 * Decodes a JPEG row by row: baseline, extended sequential and progressive Huffman coding, 8 bits. What
 * it allocates grows with the image's width, not with its height. Pixels are identical to those of
 * libjpeg-turbo in its default configuration.
 *
 * @param bytes the whole file; the scans of a progressive image are read side by side.
 * @param sink receives the rows of its window.
 * @throws {CodedError} `image_malformed`, `image_truncated`, `image_format_unsupported`,
 *   `image_too_complex`; and what `warn` throws.
 * @see ITU-T T.81; libjpeg-turbo jdmaster.c for which methods are the default
 */
export function decodeJpeg(
  bytes: Uint8Array,
  sink: RowSink,
  { side = blockSide, arena, container, warn = () => {} }: JpegOptions = {},
): void {
  const { frame, planes, scans, colour, end } = parseScans(bytes, sink, { side, arena, container, warn });
  const output = new RowOutput(frame, planes, colour, sink, side, arena, container?.upsampling);
  const block = createBlock(arena);
  const useful = usefulScans(scans);
  const smoother = frame.progressive ? BlockSmoother.create(frame, planes, scans, block) : undefined;
  if (arena) accelerate(arena, bytes, frame, planes, useful, block);
  /** Computed once, because the search goes through the rest of the file. */
  let isEnded: boolean | undefined;

  for (let mcuRow = 0; mcuRow < frame.mcuRows; mcuRow++) {
    if (frame.progressive) for (const plane of planes) plane.coefficients.fill(0);
    for (const scan of useful) scan.decodeRow(mcuRow, block);
    smoother?.smoothRow(mcuRow);
    if (frame.progressive) for (const plane of planes) plane.reconstructRow(mcuRow, block);
    output.writeRows(mcuRow);
    // The file must also have the rows below the window, unless a marker proves that the scans were ended.
    if (output.complete) {
      isEnded ??=
        end !== undefined || (scans.length === 1 && hasMarkerAfter(bytes, scans[0]!.reader.position));
      if (isEnded) break;
    }
  }
}

interface ParsedJpeg {
  readonly frame: JpegFrame;
  readonly planes: readonly ComponentPlane[];
  readonly scans: readonly JpegScan[];
  readonly colour: ReturnType<typeof toColour>;
  /** Position of EOI; undefined if it is missing or was not looked for. */
  readonly end: number | undefined;
}

/**
 * Reads all headers. Most files have one scan: then only its header is read here. In other files the data of the scans
 * is searched for the markers between them.
 */
function parseScans(
  bytes: Uint8Array,
  sink: RowSink,
  { side, arena, container, warn }: Required<JpegOptions>,
): ParsedJpeg {
  const tables = container?.tables?.copy() ?? new JpegTables();
  const scans: JpegScan[] = [];
  let frame: JpegFrame | undefined;
  let planes: ComponentPlane[] = [];
  let isJfif = false;
  let adobeTransform: number | undefined;
  let visits = 0;
  let end: number | undefined;
  let position = 2;

  for (;;) {
    const segment = nextSegment(bytes, position);
    if (segment === undefined) break;
    const { code } = segment;
    position = segment.end;
    if (code === marker.endOfImage) {
      end = segment.start;
      break;
    }
    tables.define(bytes, segment);
    if (code === marker.app0) isJfif ||= isJfifSegment(bytes, segment);
    else if (code === marker.app14) adobeTransform = parseAdobeTransform(bytes, segment) ?? adobeTransform;
    else if (isStartOfFrame(code)) {
      if (frame !== undefined) throw malformed('jpeg', 'it has two frame headers');
      frame = parseFrame(bytes, segment);
      const parsed = frame;
      container?.assertFrame(frame);
      if (planeBytes(frame) > maxDecoderBytes) throw tooComplex('jpeg', 'its rows need too much memory');
      const { length } = frame.components;
      arena?.reserve(
        planeBytes(frame) + rowOutputBytes(sink.window, length) + blockBytes + scanRoutineBytes(frame),
      );
      planes = frame.components.map(
        (component) => new ComponentPlane(parsed, component, sink.window, side, arena),
      );
    } else if (code === marker.startOfScan) {
      if (frame === undefined) throw malformed('jpeg', 'a scan without a frame header');
      if (scans.length === maxJpegScans) throw tooComplex('jpeg', `more than ${maxJpegScans} scans`);
      const header = parseScanHeader(bytes, segment, frame, planes, tables);
      const scan = new JpegScan(bytes, header, frame, tables.restartInterval, () =>
        warn('jpeg_data_damaged'),
      );
      scans.push(scan);
      visits += scan.blocks;
      if (visits > maxJpegBlockVisits) throw tooComplex('jpeg', 'its scans visit too many blocks');
      if (!frame.progressive && scan.components.length === planes.length) break;
      position = findMarker(bytes, segment.end, tables.restartInterval > 0);
    }
  }
  if (frame === undefined || scans.length === 0) throw truncated('jpeg', 'before its pixel data');
  const isWhole = frame.progressive
    ? isFullyRefined(scans, planes)
    : planes.every(({ quantization }) => quantization !== undefined);
  if (!isWhole) {
    if (end === undefined) throw truncated('jpeg', 'before its last scan');
    warn('jpeg_scans_missing');
    for (const plane of planes) if (plane.quantization === undefined) plane.showNothing();
  }
  const ids = frame.components.map(({ id }) => id);
  const colour = container?.colour ?? toColour(ids, isJfif, adobeTransform);
  return { frame, planes, scans, colour, end };
}

/**
 * The scans that a reduced image needs: the scans of coefficients that are kept, and for each refinement among them all
 * earlier scans of the coefficients that it reads.
 */
function usefulScans(scans: readonly JpegScan[]): readonly JpegScan[] {
  /** For each component, the zigzag index of the last coefficient that the scans visited so far need. */
  const lastNeeded = new Map<ComponentPlane, number>();
  const isUseful = (scan: JpegScan) => {
    const needs = scan.components.map(({ plane }) => lastNeeded.get(plane) ?? plane.lastKept);
    if (needs.every((last) => scan.spectralStart > last)) return false;
    if (scan.previousShift > 0) {
      for (const [i, { plane }] of scan.components.entries()) {
        lastNeeded.set(plane, Math.max(needs[i]!, scan.spectralEnd));
      }
    }
    return true;
  };
  return scans.toReversed().filter(isUseful).toReversed();
}

/** True if the scans give every bit of every coefficient of every component. */
function isFullyRefined(scans: readonly JpegScan[], planes: readonly ComponentPlane[]): boolean {
  return planes.every((plane) => {
    const missingBits = new Uint8Array(blockSize).fill(255);
    for (const scan of scans) {
      if (scan.components.some((component) => component.plane === plane)) {
        missingBits.fill(scan.shift, scan.spectralStart, scan.spectralEnd + 1);
      }
    }
    return missingBits.every((bits) => bits === 0);
  });
}

/**
 * First marker at or after `position` that is neither a stuffed byte nor a restart; else the file's end. A byte behind
 * 0xFF that is too small for a marker is damage, which the scan skips at its next restart.
 */
function findMarker(bytes: Uint8Array, position: number, hasRestarts: boolean): number {
  let at = position;
  for (;;) {
    at = bytes.indexOf(0xff, at);
    if (at < 0 || at + 1 >= bytes.length) return bytes.length;
    const code = bytes[at + 1]!;
    const isRestart = code >= marker.restart0 && code <= marker.restart7;
    const isDamage = hasRestarts && code < marker.startOfFrameBaseline;
    if (code !== 0 && code !== 0xff && !isRestart && !isDamage) return at;
    at++;
  }
}

function hasMarkerAfter(bytes: Uint8Array, position: number): boolean {
  return findMarker(bytes, position, false) < bytes.length;
}

function isJfifSegment(bytes: Uint8Array, { start, end }: Segment): boolean {
  return end - start >= 14 && startsWithAscii(bytes, start, 'JFIF\0');
}

/** @see ITU-T T.872 6.5.3 (APP14 marker segment for colour encoding) */
function parseAdobeTransform(bytes: Uint8Array, { start, end }: Segment): number | undefined {
  return end - start >= 12 && startsWithAscii(bytes, start, 'Adobe') ? bytes[start + 11] : undefined;
}

function startsWithAscii(bytes: Uint8Array, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (bytes[start + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}
