import type { OnnxGraph, OnnxNode } from './onnx-graph.ts';

/** Makes every reader of `from` (and the graph's output, if it is `from`) read `to`. */
export function redirectReaders(graph: OnnxGraph, from: string, to: string): void {
  for (const node of graph.nodes) {
    node.inputs = node.inputs.map((input) => (input === from ? to : input));
  }
}

/**
 * Removes a node; its readers read `source` instead. The graph's output keeps its name: if the node made it, the node that
 * makes `source` makes it now.
 */
export function bypassNode(graph: OnnxGraph, node: OnnxNode, source: string): void {
  const output = node.outputs[0] as string;
  removeNode(graph, node);
  if (!graph.outputs.some(({ name }) => name === output)) {
    redirectReaders(graph, output, source);
    return;
  }
  for (const other of graph.nodes) {
    other.outputs = other.outputs.map((name) => (name === source ? output : name));
  }
  redirectReaders(graph, source, output);
}

export function removeNode(graph: OnnxGraph, node: OnnxNode): void {
  graph.nodes.splice(graph.nodes.indexOf(node), 1);
}

/** @returns `base`, or `base_2`, `base_3` ... if a tensor of that name exists already. */
export function toFreshName(graph: OnnxGraph, base: string): string {
  const taken = new Set([
    ...graph.initializers.keys(),
    ...graph.inputs.map(({ name }) => name),
    ...graph.nodes.flatMap((node) => node.outputs),
  ]);
  if (!taken.has(base)) return base;
  let suffix = 2;
  while (taken.has(`${base}_${suffix}`)) suffix++;
  return `${base}_${suffix}`;
}

/** Drops nodes and initializers from which no path leads to the graph's output. */
export function removeDeadNodes(graph: OnnxGraph): void {
  const alive = new Set(graph.outputs.map(({ name }) => name));
  graph.nodes = graph.nodes
    .toReversed()
    .filter((node) => {
      if (!node.outputs.some((output) => alive.has(output))) return false;
      for (const input of node.inputs) alive.add(input);
      return true;
    })
    .toReversed();
  for (const name of graph.initializers.keys()) if (!alive.has(name)) graph.initializers.delete(name);
}
