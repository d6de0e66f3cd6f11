import createWabt from 'wabt';
import type { KernelSetName } from '../../src/engine/kernel-layout.ts';
import type { Plan, PlanOperator } from '../../src/engine/plan.ts';
import { openPlan } from '../engine/machine.ts';

const rounds = 25;

/** Times every operator of a plan, like ones together, beside what the dot instruction alone reaches. */
export async function printLayers(
  title: string,
  plan: Plan,
  weights: Uint8Array,
  set: KernelSetName,
): Promise<void> {
  const { steps, memory, layout } = await openPlan(plan, weights, set);
  const image = new Float32Array(memory.buffer, layout.image, 3 * plan.input.height * plan.input.width);
  // Its memory is the kernels' scratch later on; what they leave there may be numbers that take longer.
  fillImage(image);
  for (let round = 0; round < 8; round++) for (const step of steps) step();
  const best = steps.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < rounds; round++) {
    fillImage(image);
    for (const [index, step] of steps.entries()) {
      const start = performance.now();
      step();
      best[index] = Math.min(best[index]!, performance.now() - start);
    }
  }
  const groups = new Map<string, { count: number; ms: number; macs: number }>();
  for (const [index, operator] of plan.operators.entries()) {
    const name = describe(plan, operator, set);
    const group = groups.get(name) ?? { count: 0, ms: 0, macs: 0 };
    group.count++;
    group.ms += best[index]!;
    group.macs += countMacs(plan, operator);
    groups.set(name, group);
  }
  const peak = await measurePeak(set);
  const total = best.reduce((sum, ms) => sum + ms, 0);
  console.log(`\n${title}, ${set} kernels: ${total.toFixed(2)} ms; the dot alone: ${peak.toFixed(0)} GMAC/s`);
  for (const [name, { count, ms, macs }] of groups) {
    const rate = macs / ms / 1e6;
    const share = macs
      ? `${rate.toFixed(1).padStart(7)} GMAC/s ${((100 * rate) / peak).toFixed(0).padStart(4)} %`
      : '';
    console.log(`${String(count).padStart(3)} x ${name.padEnd(36)}${ms.toFixed(3).padStart(8)} ms ${share}`);
  }
}

/** Waves that reach as far as a normalised image. */
export function fillImage(image: Float32Array): void {
  for (let index = 0; index < image.length; index++) image[index] = 2 * Math.sin(index * 0.37);
}

export function describe(plan: Plan, operator: PlanOperator, set: KernelSetName): string {
  if (operator.type !== 'convolve') return operator.type;
  const { kernel, stride, source, target, residual, winograd } = operator;
  const { channels, height } = plan.tensors[target]!;
  return `${kernel.join('x')}/${stride[0]} ${plan.tensors[source]!.channels}->${channels} @${height}${residual ? ' + residual' : ''}${
    winograd?.sets.includes(set) ? ' Winograd' : ''
  }`;
}

/** Multiplications of the convolution as it is defined. */
function countMacs(plan: Plan, operator: PlanOperator): number {
  if (operator.type !== 'convolve') return 0;
  const { channels } = plan.tensors[operator.source]!;
  const target = plan.tensors[operator.target]!;
  return target.height * target.width * target.channels * channels * operator.kernel[0] * operator.kernel[1];
}

/**
 * GMAC/s of the set's dot product on operands in registers, as many at once as hide its latency. Each
 * takes its own sum as input: else the compiler would move it out of the loop.
 */
async function measurePeak(set: KernelSetName): Promise<number> {
  const accumulators = Array.from({ length: 12 }, (_, index) => `$a${index}`);
  const dot = (acc: string) =>
    set === 'plain'
      ? `(i32x4.add (local.get ${acc}) (i32x4.dot_i16x8_s (local.get ${acc}) (local.get $w)))`
      : `(i32x4.relaxed_dot_i8x16_i7x16_add_s (local.get $w) (local.get ${acc}) (local.get ${acc}))`;
  const total = accumulators.map((acc) => `(local.get ${acc})`).reduce((a, b) => `(i32x4.add ${a} ${b})`);
  const wabt = await createWabt();
  const { buffer } = wabt
    .parseWat(
      'peak.wat',
      `(module (func (export "run") (param $n i32) (result i32) (local $w v128)
        ${accumulators.map((acc) => `(local ${acc} v128)`).join(' ')}
        (local.set $w (i8x16.splat (local.get $n)))
        (loop $next ${accumulators.map((acc) => `(local.set ${acc} ${dot(acc)})`).join(' ')}
          (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (i32x4.extract_lane 0 ${total})))`,
      { simd: true, relaxed_simd: true },
    )
    .toBinary({});
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(buffer)));
  const run = exports['run'] as (count: number) => number;
  const count = 2_000_000;
  const macs = count * accumulators.length * (set === 'plain' ? 8 : 16);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 12; round++) {
    const start = performance.now();
    run(count);
    best = Math.min(best, performance.now() - start);
  }
  return macs / best / 1e6;
}
