import { kernelOf } from './build-step.ts';
import type { Machine } from './machine.ts';
import type { Plan, PlanOperator } from './plan.ts';
import type { Step } from './step.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/**
 * Chooses the smallest step of each kernel, to run while the weights are on their way. V8 compiles a WebAssembly function
 * when it is first called, and compiles it again, on another thread and better, after it has run for a while. The results
 * of these steps are never used: a run reads only weights and values that it has written itself.
 *
 * @param steps one an operator of the plan.
 */
export function chooseWarmUp(plan: Plan, steps: readonly Step[], machine: Machine): Step[] {
  const smallest = new Map<unknown, { readonly work: number; readonly step: Step }>();
  for (const [index, operator] of plan.operators.entries()) {
    if (operator.type === 'dense_head') continue; // JavaScript, and next to nothing
    const kernel =
      operator.type === 'convolve' ? kernelOf(operator, machine.kernels, machine.traits) : operator.type;
    const work = workOf(operator, plan);
    if (work < (smallest.get(kernel)?.work ?? Number.POSITIVE_INFINITY)) {
      smallest.set(kernel, { work, step: steps[index]! });
    }
  }
  return Array.from(smallest.values(), ({ step }) => step);
}

/** More than any convolution has products. */
const withoutResidual = 1e15;

/** Number of products. A step with a residual is preferred, because it calls almost every function that one without calls. */
function workOf(operator: PlanOperator, { parts, tensors }: Plan): number {
  if (operator.type !== 'convolve') return 0;
  const { height, width } = tensors[operator.target]!;
  const products = parts[operator.weights]!.bytes * height * width;
  return operator.residual ? products : products + withoutResidual;
}
