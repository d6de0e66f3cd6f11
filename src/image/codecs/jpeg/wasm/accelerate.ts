import { maxJpegRoutineScans } from '../../../../limits.ts';
import type { PixelArena } from '../../../pixel-arena.ts';
import type { ComponentPlane } from '../component-plane.ts';
import type { JpegFrame } from '../frame.ts';
import type { JpegScan } from '../scan.ts';
import { ProgressiveRoutine, placeZeroLists, progressiveRoutineBytes } from './progressive-routine.ts';
import { divisorBytes, placeDivisors } from './quantization.ts';
import { SequentialRoutine, sequentialRoutineBytes } from './sequential-routine.ts';
import { TablePlacer } from './tables.ts';

/**
 * A progressive scan has little in a block. With fewer blocks than this between restarts, or in a row, it costs more to
 * enter a routine for each run of them than it saves: up to twice what plain TypeScript takes, measured with blocks of
 * one bit.
 */
const minBlocksPerRun = 4;

/**
 * What `accelerate` allocates at most. It has to be reserved before the planes are made: memory that grows afterwards
 * leaves their views behind, which then read as zeros.
 */
export function scanRoutineBytes({ progressive, components }: JpegFrame): number {
  const { length } = components;
  if (!progressive) return sequentialRoutineBytes(length);
  return progressiveRoutineBytes(maxJpegRoutineScans, maxTables(length)) + length * divisorBytes;
}

/** One for each scan, and for the first scan of DC one for each component. */
function maxTables(components: number): number {
  return maxJpegRoutineScans + components;
}

/**
 * Gives routines to the scans of an image, as far as there are some for them: for a sequential file of one scan, and
 * for a progressive file that has no more than `maxJpegRoutineScans`, and no more tables than such a file needs. Those
 * that are left decode by themselves.
 *
 * @param scans those that will be decoded.
 * @param block of `createBlock`, in `arena`.
 */
export function accelerate(
  arena: PixelArena,
  bytes: Uint8Array,
  frame: JpegFrame,
  planes: readonly ComponentPlane[],
  scans: readonly JpegScan[],
  block: Int16Array,
): void {
  if (!frame.progressive) {
    const [scan] = scans;
    if (!scan || scan.components.length < planes.length) return;
    scan.accelerate(new SequentialRoutine(arena, bytes, scan.components, block.byteOffset));
    return;
  }
  for (const plane of planes) plane.divisors = placeDivisors(arena, plane.quantization!);
  const worthwhile = scans.filter(
    (scan, index) => scan.blocksPerRun >= minBlocksPerRun && isUndoable(scan, scans.slice(0, index)),
  );
  if (worthwhile.length > maxJpegRoutineScans || countTables(worthwhile) > maxTables(planes.length)) return;
  const tables = new TablePlacer(arena);
  const lists = placeZeroLists(arena);
  for (const scan of worthwhile) scan.accelerate(new ProgressiveRoutine(arena, bytes, scan, tables, lists));
}

/**
 * Whether a block of which a routine has refined a part can be told from the block before: not if coefficients may have
 * had the bit of this scan already. No encoder writes such a file.
 *
 * @see undoNewCoefficients
 */
function isUndoable(scan: JpegScan, earlier: readonly JpegScan[]): boolean {
  if (scan.spectralStart === 0 || scan.previousShift === 0) return true;
  const plane = scan.components[0]?.plane;
  return earlier.every(
    ({ components, spectralStart, spectralEnd, shift }) =>
      shift > scan.shift ||
      spectralStart > scan.spectralEnd ||
      spectralEnd < scan.spectralStart ||
      components.every((component) => component.plane !== plane),
  );
}

/** Most that `TablePlacer` will place: a scan of AC has one component, and DC may share. */
function countTables(scans: readonly JpegScan[]): number {
  const dcTables = new Set(scans.flatMap(({ components }) => components.flatMap(({ dc }) => dc ?? [])));
  return dcTables.size + scans.filter(({ spectralStart }) => spectralStart > 0).length;
}
