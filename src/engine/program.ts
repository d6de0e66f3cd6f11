import { buildStep } from './build-step.ts';
import { locate, storedZero } from './conv-descriptor.ts';
import { convDescriptorBytes } from './kernel-layout.ts';
import type { Machine } from './machine.ts';
import type { Plan, PlanTensor } from './plan.ts';
import type { Step } from './step.ts';

/** Turns a plan into one call for each operator, and writes the descriptors that the calls need. */
export function buildProgram(plan: Plan, machine: Machine): Step[] {
  return plan.operators.map((operator, index) => {
    const step = buildStep(operator, machine.layout.descriptors + index * convDescriptorBytes, plan, machine);
    // Tensors share memory, so each run writes the border of a tensor again, before its contents.
    const border = 'target' in operator && buildBorder(plan.tensors[operator.target]!, machine);
    if (!border) return step;
    return () => {
      border();
      step();
    };
  });
}

function buildBorder(tensor: PlanTensor, { layout, kernels }: Machine): Step | undefined {
  const { height, width, pad, border, zero_point } = tensor;
  if (Math.max(pad.top, pad.left, pad.bottom, pad.right) === 0) return undefined;
  const { start, rowBytes, pixelBytes } = locate(tensor, layout);
  const top = pad.top * rowBytes + pad.left * pixelBytes;
  const edge = (pad.left + pad.right) * pixelBytes;
  const bottom = pad.right * pixelBytes + pad.bottom * rowBytes;
  const fill = storedZero(zero_point, layout) - (border === 'lowest' ? zero_point : 0);
  const pattern = layout.elementBytes === 1 ? fill * 0x01010101 : (fill & 0xffff) * 0x00010001;
  // The kernel fills from the end of one row's interior to the start of the next one's.
  return () => kernels.fill_border(start, top, width * pixelBytes, edge, height, bottom, pattern);
}
