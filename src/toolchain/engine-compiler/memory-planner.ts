import { alignUp, type Plan, type PlanOperator, type PlanTensor, tensorElements } from '../../engine/plan.ts';

/** Tensors that an operator reads; it writes its `target`, if it has one. */
function sourcesOf(operator: PlanOperator): number[] {
  const sources: number[] = [];
  if ('source' in operator) sources.push(operator.source);
  if (operator.type === 'convolve' && operator.residual) sources.push(operator.residual.tensor);
  return sources;
}

/**
 * Gives every tensor its offset, first fit in the order of execution. Tensors that are never alive together share memory.
 *
 * @returns the tensors with offsets, and the arena's size, in elements.
 */
export function planMemory(
  tensors: readonly Omit<PlanTensor, 'offset'>[],
  operators: readonly PlanOperator[],
): { readonly tensors: Plan['tensors']; readonly arenaElements: number } {
  const lastUse = tensors.map(() => -1);
  for (const [step, operator] of operators.entries()) {
    for (const source of sourcesOf(operator)) lastUse[source] = step;
  }
  const placed: { readonly id: number; readonly start: number; readonly end: number }[] = [];
  const offsets = tensors.map(() => 0);
  let alive: typeof placed = [];
  let arenaElements = 0;
  for (const [step, operator] of operators.entries()) {
    if ('target' in operator) {
      const elements = tensorElements(tensors[operator.target]!);
      const start = findGap(alive, elements);
      const block = { id: operator.target, start, end: start + elements };
      offsets[operator.target] = start;
      placed.push(block);
      alive.push(block);
      arenaElements = Math.max(arenaElements, block.end);
    }
    alive = alive.filter(({ id }) => lastUse[id]! > step);
  }
  return {
    tensors: tensors.map((tensor, id) => ({ ...tensor, offset: offsets[id]! })),
    arenaElements: alignUp(arenaElements),
  };
}

function findGap(
  alive: readonly { readonly start: number; readonly end: number }[],
  elements: number,
): number {
  let candidate = 0;
  for (const { start, end } of [...alive].sort((a, b) => a.start - b.start)) {
    if (start - candidate >= elements) return candidate;
    candidate = Math.max(candidate, end);
  }
  return candidate;
}
