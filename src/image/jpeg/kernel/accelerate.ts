import { maxJpegKernelScans } from '../../../limits.ts';
import type { PixelArena } from '../../../pixel-kernels/pixel-kernels.ts';
import type { ComponentPlane } from '../component-plane.ts';
import type { JpegFrame } from '../frame.ts';
import type { JpegScan } from '../scan.ts';
import {
  divisorBytes,
  ProgressiveKernel,
  placeDivisors,
  progressiveKernelBytes,
} from './progressive-kernel.ts';
import { SequentialKernel, sequentialKernelBytes } from './sequential-kernel.ts';
import { TablePlacer } from './tables.ts';

/** What `accelerate` allocates at most. */
export function scanKernelBytes({ progressive, components }: JpegFrame): number {
  const { length } = components;
  if (!progressive) return sequentialKernelBytes(length);
  return progressiveKernelBytes(maxJpegKernelScans, length) + length * divisorBytes;
}

/**
 * Gives kernels to the scans of an image, as far as there are some for them: for a sequential file of one scan, and
 * for a progressive file that has no more than `maxJpegKernelScans`.
 *
 * @param block in `arena`.
 */
export function accelerate(
  arena: PixelArena,
  bytes: Uint8Array,
  frame: JpegFrame,
  planes: readonly ComponentPlane[],
  scans: readonly JpegScan[],
  block: Int32Array,
): void {
  if (!frame.progressive) {
    const [scan] = scans;
    if (scan.components.length < planes.length) return;
    scan.accelerate(new SequentialKernel(arena, bytes, scan.components, block.byteOffset));
    return;
  }
  for (const plane of planes) plane.divisors = placeDivisors(arena, plane.quantization!);
  if (scans.length > maxJpegKernelScans) return;
  const tables = new TablePlacer(arena);
  for (const scan of scans) scan.accelerate(new ProgressiveKernel(arena, bytes, scan, tables));
}
