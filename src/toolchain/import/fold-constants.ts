import { liftConstants } from '../onnx/lift-constants.ts';
import type { OnnxModel, OnnxNode } from '../onnx/onnx-graph.ts';
import { runGraph } from './run-graph.ts';

/** Nodes that are not folded: quantized weights, and nodes with random results. */
const notFolded = /^(QuantizeLinear|DequantizeLinear|Random.*|Multinomial|Bernoulli)$/;

/**
 * Computes every node whose inputs are all constants (an Expand of a BatchNorm's parameters, a Sqrt of a constant) on
 * onnxruntime-node, and stores the results as initializers. Constant nodes become initializers too.
 *
 * @param model is consumed: its graph is rewritten in place.
 * @throws {UnsupportedGraphError} if ONNX Runtime cannot run them.
 */
export async function foldConstants(model: OnnxModel): Promise<void> {
  const { graph } = model;
  liftConstants(graph);
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const known = new Set(graph.initializers.keys());
  const isConstant = ({ opType, domain, inputs, outputs: made }: OnnxNode) =>
    domain === '' &&
    !notFolded.test(opType) &&
    inputs.every((input) => input === '' || known.has(input)) &&
    !made.some((name) => outputs.has(name));
  const folded: OnnxNode[] = [];
  const rest: OnnxNode[] = [];
  for (const node of graph.nodes) {
    if (!isConstant(node)) {
      rest.push(node);
      continue;
    }
    folded.push(node);
    for (const name of node.outputs) known.add(name);
  }
  if (folded.length === 0) return;
  const read = new Set(rest.flatMap(({ inputs }) => inputs));
  const wanted = folded.flatMap(({ outputs: made }) => made).filter((name) => read.has(name));
  const needed = new Set(folded.flatMap(({ inputs }) => inputs));
  const results = await runGraph(
    model,
    {
      name: 'constants',
      inputs: [],
      outputs: wanted.map((name) => ({ name, elementType: 0, shape: undefined })),
      nodes: folded,
      initializers: new Map([...graph.initializers].filter(([name]) => needed.has(name))),
    },
    new Map(),
  );
  for (const [name, tensor] of results) graph.initializers.set(name, tensor);
  graph.nodes = rest;
}
