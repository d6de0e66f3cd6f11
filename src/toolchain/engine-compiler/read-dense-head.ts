import { floatAttribute, intAttribute } from '../onnx/onnx-attribute.ts';
import { UnsupportedGraphError } from '../onnx/onnx-errors.ts';
import { type GraphIndex, indexGraph, type OnnxGraph, type OnnxNode } from '../onnx/onnx-graph.ts';

/** A head in floats behind a quantized body. */
export interface FloatHead {
  /** The dequantized activation that is pooled. */
  readonly source: OnnxNode;
  readonly pools: readonly ('mean' | 'max')[];
  /** First layer first. */
  readonly layers: readonly FloatLayer[];
  /** All nodes of the head. */
  readonly nodes: ReadonlySet<OnnxNode>;
}

export interface FloatLayer {
  /** [outputs, inputs]. */
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  readonly relu: boolean;
}

const poolKinds: Readonly<Record<string, 'mean' | 'max'>> = {
  GlobalAveragePool: 'mean',
  GlobalMaxPool: 'max',
};

/**
 * Reads a head backwards from the graph's output: layers with ReLUs between them, over one pool or two, joined.
 *
 * @returns undefined if the graph ends in a quantized classifier.
 * @throws {UnsupportedGraphError} naming the node that the engine does not run.
 */
export function readFloatHead(graph: OnnxGraph): FloatHead | undefined {
  const index = indexGraph(graph);
  const last = index.producers.get(graph.outputs[0]?.name ?? '');
  const isQuantized = graph.nodes.some(({ opType }) => opType === 'QuantizeLinear');
  if (!last || !isQuantized || !isFloatHead(last, index)) return undefined;
  const layers: FloatLayer[] = [];
  const nodes = new Set<OnnxNode>();
  let node: OnnxNode | undefined = last;
  let relu = false;
  for (;;) {
    if (node?.opType === 'Relu') relu = true;
    else if (node?.opType === 'Gemm') {
      layers.unshift({ ...readLayer(graph, node), relu });
      relu = false;
    } else break;
    nodes.add(node);
    node = index.producers.get(node.inputs[0]!);
  }
  if (node?.opType === 'Flatten') {
    nodes.add(node);
    node = index.producers.get(node.inputs[0]!);
  }
  const pooled = node?.opType === 'Concat' ? node.inputs.map((name) => index.producers.get(name)) : [node];
  for (const each of [node, ...pooled]) if (each) nodes.add(each);
  const pools = pooled.map((pool) => {
    const kind = poolKinds[pool?.opType ?? ''];
    if (!kind) {
      throw new UnsupportedGraphError(
        pool ?? last,
        'in a head the int8 engine runs layers and ReLUs over pooled features; onnxruntime-web runs it',
      );
    }
    return kind;
  });
  const sources = new Set(pooled.map((pool) => index.producers.get(pool!.inputs[0]!)));
  const [source] = sources;
  if (sources.size !== 1 || source?.opType !== 'DequantizeLinear')
    throw new UnsupportedGraphError(pooled[0] ?? last, 'it does not pool one quantized activation');
  return { source, pools, layers, nodes };
}

/** Whether the last node reads floats: constant weights, without a DequantizeLinear. */
function isFloatHead(last: OnnxNode, { producers }: GraphIndex): boolean {
  if (last.opType === 'DequantizeLinear') return false;
  return (
    producers.get(last.inputs[0] ?? '')?.opType !== 'DequantizeLinear' || poolKinds[last.opType] !== undefined
  );
}

function readLayer(graph: OnnxGraph, node: OnnxNode): Omit<FloatLayer, 'relu'> {
  const [weights, bias] = [1, 2].map((position) => graph.initializers.get(node.inputs[position] ?? ''));
  const isPlain =
    intAttribute(node, 'transB', 0) === 1 &&
    floatAttribute(node, 'alpha', 1) === 1 &&
    floatAttribute(node, 'beta', 1) === 1;
  if (weights?.datatype !== 'FP32' || bias?.datatype !== 'FP32' || !isPlain)
    throw new UnsupportedGraphError(node, 'a layer of a head must be a Gemm with constants, transB = 1');
  return { weights: weights.data, bias: bias.data };
}
