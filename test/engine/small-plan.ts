import { type Plan, type PlanOperator, type PlanTensor, tensorElements } from '../../src/engine/plan.ts';
import { WeightPacker } from '../../src/toolchain/engine-compiler/weight-packer.ts';

export const noPadding = { top: 0, left: 0, bottom: 0, right: 0 };

interface Surroundings {
  readonly packer?: WeightPacker;
  /** Of the image. */
  readonly input?: { readonly height: number; readonly width: number };
  readonly classes?: number;
}

/** A plan of few operators. Its tensors lie one behind the other; those without `border` have the zero point there. */
export function planOf(
  operators: PlanOperator[],
  shapes: readonly (Omit<PlanTensor, 'offset' | 'border'> & Partial<PlanTensor>)[],
  { packer = new WeightPacker(), input = { height: 4, width: 4 }, classes = 1 }: Surroundings = {},
): Plan {
  let arena = 0;
  const tensors = shapes.map((shape) => {
    const tensor = { border: 'zero' as const, ...shape, offset: arena };
    arena += tensorElements(tensor);
    return tensor;
  });
  return {
    input: { name: 'data', ...input },
    output: { name: 'logits', classes },
    tensors,
    operators,
    features: [],
    parts: packer.parts,
    arena_elements: arena,
  };
}
