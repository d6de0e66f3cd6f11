import type { ByteReader } from './byte-reader.ts';
import { panelChannels } from './kernel-layout.ts';
import type { Machine } from './machine.ts';
import { alignUp, type Plan } from './plan.ts';
import type { Step } from './step.ts';
import { winogradOf } from './winograd-tiles.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** After this many bytes one more step of `meanwhile` runs, and then other work of the isolate has a turn. */
const meanwhileBytes = 512 * 1024;

/**
 * Reads the weights from the stream to their places, and turns them there into what the kernel set reads.
 *
 * @param meanwhile steps to run while the weights are on their way. Steps that are left at the end do not run.
 */
export async function loadWeights(
  plan: Plan,
  machine: Machine,
  reader: ByteReader,
  meanwhile: readonly Step[] = [],
): Promise<void> {
  const { memory, layout, kernels } = machine;
  let loaded = 0;
  let done = 0;
  for (const [index, { bytes }] of plan.parts.entries()) {
    await reader.readInto(new Uint8Array(memory.buffer, layout.parts[index]!, bytes));
    await reader.skip(alignUp(bytes) - bytes);
    loaded += bytes;
    if (loaded >= (done + 1) * meanwhileBytes) meanwhile[done++]?.();
  }
  if (kernels.adopt_weights) adoptWeights(plan, machine);
}

/** Reorders weights for the relaxed dot product. Winograd's way reads them as the file has them. */
function adoptWeights(plan: Plan, { layout, kernels, traits }: Machine): void {
  for (const operator of plan.operators) {
    if (operator.type !== 'convolve' && operator.type !== 'classify') continue;
    if (winogradOf(operator, traits)) continue;
    const { weights, bias, source } = operator;
    const channels = plan.parts[bias]!.bytes / 4;
    const panelBytes = plan.parts[weights]!.bytes / (channels / panelChannels);
    kernels.adopt_weights!(
      layout.parts[weights]!,
      panelBytes,
      channels,
      layout.parts[bias]!,
      plan.tensors[source]!.zero_point,
    );
  }
}
