import { indexGraph, type OnnxGraph, type OnnxNode } from '../onnx/onnx-graph.ts';
import { fp32Tensor, type OnnxTensor, toFloat32 } from '../onnx/onnx-tensor.ts';
import { toMergedOutput } from './calibrate.ts';
import { quantizeWeights, type UInt8Parameters } from './quantize-values.ts';

/**
 * Writes quantization into a normalised graph as QuantizeLinear / DequantizeLinear pairs around each
 * operator; ONNX Runtime and our own engine fuse each group into one integer kernel. ReLU and ReLU6 disappear into
 * the output range of the Conv or Add before it. The classifier's output stays float.
 *
 * @param graph as normaliseGraph leaves it; not changed.
 * @param parameters one per activation that has its own scale (see Calibration); pools of maxima and
 *   Flatten keep their input's.
 * @param head nodes that stay in floats.
 * @returns The quantized graph, opset 13. Tensor T becomes T_Q and T_DQ with parameters T_s and T_z.
 */
export function insertQdq(
  graph: OnnxGraph,
  parameters: ReadonlyMap<string, UInt8Parameters>,
  head: ReadonlySet<OnnxNode> = new Set(),
): OnnxGraph {
  const index = indexGraph(graph);
  const known = new Map(parameters);
  const nodes: OnnxNode[] = [];
  const initializers = new Map<string, OnnxTensor>();

  function quantizeActivation(source: string, name: string, chosen: UInt8Parameters | undefined): void {
    if (chosen === undefined) throw new Error(`no quantization parameters for '${name}'`);
    known.set(name, chosen);
    initializers.set(`${name}_s`, fp32Tensor([], Float32Array.of(chosen.scale)));
    initializers.set(`${name}_z`, { datatype: 'UINT8', shape: [], data: Uint8Array.of(chosen.zeroPoint) });
    const sidecars = [`${name}_s`, `${name}_z`];
    nodes.push(plainNode(`${name}_Quant`, 'QuantizeLinear', [source, ...sidecars], `${name}_Q`));
    nodes.push(plainNode(`${name}_Dequant`, 'DequantizeLinear', [`${name}_Q`, ...sidecars], `${name}_DQ`));
  }

  function dequantizeConstant(
    name: string,
    values: OnnxTensor,
    scales: Float32Array,
    zeros: OnnxTensor,
  ): string {
    initializers.set(`${name}_Q`, values);
    initializers.set(`${name}_s`, fp32Tensor([scales.length], scales));
    initializers.set(`${name}_z`, zeros);
    const node = plainNode(
      `${name}_Dequant`,
      'DequantizeLinear',
      [`${name}_Q`, `${name}_s`, `${name}_z`],
      `${name}_DQ`,
    );
    node.attributes.set('axis', { type: 'INT', value: 0 });
    nodes.push(node);
    return `${name}_DQ`;
  }

  /** Weights shared by two nodes are written twice: their biases' scales differ. */
  function quantizeOperands(node: OnnxNode): string[] {
    const [data, weightsName, biasName] = node.inputs as [string, string, string | undefined];
    const tensor = graph.initializers.get(weightsName) as OnnxTensor;
    const channels = tensor.shape[0]!;
    const bias = biasName
      ? toFloat32(graph.initializers.get(biasName) as OnnxTensor, biasName)
      : new Float32Array(channels);
    const inputScale = (known.get(data) as UInt8Parameters).scale;
    const quantized = quantizeWeights(toFloat32(tensor, weightsName), bias, inputScale);
    const shape = [channels];
    const weights = dequantizeConstant(
      isTaken(weightsName) ? `${node.name}_weight` : weightsName,
      { datatype: 'INT8', shape: tensor.shape, data: quantized.values },
      quantized.scales,
      { datatype: 'INT8', shape, data: new Int8Array(channels) },
    );
    const biases = dequantizeConstant(
      !biasName || isTaken(biasName) ? `${node.name}_bias` : biasName,
      { datatype: 'INT32', shape, data: quantized.bias },
      quantized.biasScales,
      { datatype: 'INT32', shape, data: new Int32Array(channels) },
    );
    return [`${data}_DQ`, weights, biases];
  }

  /** What a node in floats reads: the dequantized activation, a constant as it is, or what another one makes. */
  function toFloat(name: string): string {
    const constant = graph.initializers.get(name);
    if (constant) initializers.set(name, constant);
    return known.has(name) ? `${name}_DQ` : name;
  }

  const isTaken = (name: string) => initializers.has(`${name}_Q`);
  const input = graph.inputs[0]?.name as string;
  quantizeActivation(input, input, known.get(input));
  for (const node of graph.nodes) {
    const output = node.outputs[0] as string;
    const data = node.inputs[0] as string;
    const copy = { ...node, attributes: new Map(node.attributes) };
    if (head.has(node)) {
      nodes.push({ ...copy, inputs: node.inputs.map(toFloat) });
      continue;
    }
    switch (node.opType) {
      case 'Relu':
      case 'Clip':
        break;
      case 'Conv':
      case 'Add': {
        copy.inputs =
          node.opType === 'Conv' ? quantizeOperands(node) : node.inputs.map((name) => `${name}_DQ`);
        nodes.push(copy);
        const merged = toMergedOutput(index, output);
        quantizeActivation(output, merged, known.get(merged));
        break;
      }
      case 'Gemm':
        copy.inputs = quantizeOperands(node);
        nodes.push(copy);
        break;
      default: {
        copy.inputs = [`${data}_DQ`, ...node.inputs.slice(1).map(toFloat)];
        nodes.push(copy);
        const keepsScale = /^(Pad|MaxPool|Flatten)$/.test(node.opType);
        quantizeActivation(output, output, known.get(keepsScale ? data : output));
      }
    }
  }
  return { ...graph, nodes, initializers };
}

function plainNode(name: string, opType: string, inputs: string[], output: string): OnnxNode {
  return { name, opType, domain: '', inputs, outputs: [output], attributes: new Map() };
}
