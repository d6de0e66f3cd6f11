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
 * A progressive scan has little data in a block. With fewer blocks than this in a row or between restarts, entering a
 * routine for each run costs more than it saves: up to twice the time of plain TypeScript, measured with blocks of one
 * bit.
 */
const minBlocksPerRun = 4;

/**
 * Most bytes that `accelerate` allocates. Reserve them before the planes are made: if the memory grew afterwards, the
 * planes' views would be detached.
 */
export function scanRoutineBytes({ progressive, components }: JpegFrame): number {
  const { length } = components;
  if (!progressive) return sequentialRoutineBytes(length);
  return progressiveRoutineBytes(maxJpegRoutineScans, maxTables(length)) + length * divisorBytes;
}

/** Each scan has one table, but the first scan of DC has one for each component. */
function maxTables(components: number): number {
  return maxJpegRoutineScans + components;
}

/**
 * Gives routines to the scans of an image: to a sequential file of one scan, and to a progressive file with at most
 * `maxJpegRoutineScans` scans and no more tables than such a file needs. All other scans decode in TypeScript.
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
 * Whether `undoNewCoefficients` can undo what a routine has done to a block. It cannot if coefficients may already have
 * had this scan's bit before. No encoder writes such a file.
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

/** Most tables that `TablePlacer` will place: a scan of AC has one component, and components of DC may share tables. */
function countTables(scans: readonly JpegScan[]): number {
  const dcTables = new Set(scans.flatMap(({ components }) => components.flatMap(({ dc }) => dc ?? [])));
  return dcTables.size + scans.filter(({ spectralStart }) => spectralStart > 0).length;
}
