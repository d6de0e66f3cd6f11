import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { KernelSetName } from '../../src/engine/kernel-layout.ts';
import { describe, fillImage } from './layers.ts';
import { median } from './median.ts';

const rounds = 31;

/** What is needed of a checkout. Another one's files are taken to have what this one's have. */
async function load(root: string) {
  const from = async (file: string) => await import(pathToFileURL(join(root, file)).href);
  const { openPlan } = (await from('test/engine/machine.ts')) as typeof import('../engine/machine.ts');
  const { GraphCompiler } = (await from(
    'src/toolchain/engine-compiler/graph-compiler.ts',
  )) as typeof import('../../src/toolchain/engine-compiler/graph-compiler.ts');
  const { parseModel } = (await from(
    'src/toolchain/onnx/onnx-model.ts',
  )) as typeof import('../../src/toolchain/onnx/onnx-model.ts');
  return { openPlan, GraphCompiler, parseModel };
}

async function open(root: string, onnx: Uint8Array, side: number, set: KernelSetName) {
  const { openPlan, GraphCompiler, parseModel } = await load(root);
  const { plan, weights } = new GraphCompiler(parseModel(onnx).graph, side).compile();
  const { steps, memory, layout } = await openPlan(plan, weights, set);
  const image = new Float32Array(memory.buffer, layout.image, 3 * side * side);
  return {
    plan,
    steps,
    best: steps.map(() => Number.POSITIVE_INFINITY),
    totals: [] as number[],
    fill: () => fillImage(image),
    logits: () => new Float32Array(memory.buffer, layout.logits, plan.output.classes),
    bytes: memory.buffer.byteLength,
  };
}

/**
 * Times the engine of another checkout and of this one, taking turns in one process: what a change is
 * worth, whatever else the machine does. Says too whether the logits are the same to the bit.
 */
export async function printComparison(
  title: string,
  roots: readonly [other: string, own: string],
  onnx: Uint8Array,
  side: number,
  set: KernelSetName,
): Promise<void> {
  const runs = [await open(roots[0], onnx, side, set), await open(roots[1], onnx, side, set)] as const;
  const warmups = 6;
  for (let round = 0; round < rounds + warmups; round++) {
    for (const { steps, best, totals, fill } of runs) {
      fill();
      const began = performance.now();
      for (const [index, step] of steps.entries()) {
        const start = performance.now();
        step();
        best[index] = Math.min(best[index]!, performance.now() - start);
      }
      if (round >= warmups) totals.push(performance.now() - began);
    }
  }
  const [other, own] = runs;
  const [before, after] = [median(other.totals), median(own.totals)];
  const same = other.logits().every((value, index) => value === own.logits()[index]);
  const memory = runs.map(({ bytes }) => (bytes / 1e6).toFixed(1)).join(' -> ');
  console.log(
    `\n${title}, ${set} kernels: ${before.toFixed(1)} -> ${after.toFixed(1)} ms, ratio ${(after / before).toFixed(3)}; ` +
      `${memory} MB; logits ${same ? 'the same' : 'DIFFER'}`,
  );
  const groups = new Map<string, { count: number; before: number; after: number }>();
  for (const [index, operator] of own.plan.operators.entries()) {
    const name = describe(own.plan, operator, set);
    const group = groups.get(name) ?? { count: 0, before: 0, after: 0 };
    groups.set(name, {
      count: group.count + 1,
      before: group.before + other.best[index]!,
      after: group.after + own.best[index]!,
    });
  }
  for (const [name, { count, before: was, after: is }] of groups) {
    console.log(
      `${String(count).padStart(3)} x ${name.padEnd(40)}${was.toFixed(3).padStart(8)}${is.toFixed(3).padStart(8)}${(is / was).toFixed(3).padStart(8)}`,
    );
  }
}
