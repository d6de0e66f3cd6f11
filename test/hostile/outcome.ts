import { expect } from 'vitest';
import { CodedError, type ErrorCode } from '../../src/errors.ts';
import { decodeToCrop } from '../../src/image/image-to-crop.ts';
import { type Allocations, countAllocations } from '../image/count-allocations.ts';
import { createRoutines, defaultSpec, loadWebpModule } from '../image/fixtures.ts';

/**
 * What a hostile file may cost: CPU time, the least of a few runs. Files of this folder that once had a price took 3 to 60 s,
 * and take 20 to 150 ms now; a machine that is busy makes that two or three times as much.
 */
const maxCpuMs = 1000;
const attempts = 3;
const maxBytes = 32 * 1024 * 1024;

export interface Outcome extends Allocations<unknown> {
  readonly cpuMs: number;
  /** The code it was refused with, or 'decoded'. */
  readonly code: ErrorCode | 'decoded';
}

await loadWebpModule();

/** Decodes and measures. Anything but a crop or a CodedError fails the test at once. */
export async function attempt(bytes: Uint8Array): Promise<Outcome> {
  const run = () => decodeToCrop(bytes, defaultSpec, { loadWebpModule, routines: createRoutines() });
  const started = process.cpuUsage();
  const counted = await countAllocations(run);
  const { user, system } = process.cpuUsage(started);
  const { result } = counted;
  if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(CodedError);
  const code = result.status === 'fulfilled' ? 'decoded' : (result.reason as CodedError).code;
  return { ...counted, code, cpuMs: (user + system) / 1000 };
}

export async function expectOutcome(
  bytes: Uint8Array,
  codes: ErrorCode | 'decoded' | readonly string[],
): Promise<void> {
  let leastMs = Number.POSITIVE_INFINITY;
  for (let run = 0; run < attempts && leastMs >= maxCpuMs; run++) {
    const outcome = await attempt(bytes);
    expect([codes].flat()).toContain(outcome.code);
    expect(outcome.bytes).toBeLessThan(maxBytes);
    leastMs = Math.min(leastMs, outcome.cpuMs);
  }
  expect(leastMs).toBeLessThan(maxCpuMs);
}
