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
 * @param parameters one for each activation that has its own scale (see Calibration); Pad, MaxPool and Flatten keep
 *   their input's.
 * @param head nodes that stay in floats.
 * @returns the quantized graph, opset 13. Tensor T becomes T_Q and T_DQ with parameters T_s and T_z.
 */
export function insertQdq(
  graph: OnnxGraph,
  parameters: ReadonlyMap<string, UInt8Parameters>,
  head: ReadonlySet<OnnxNode> = new Set(),
): OnnxGraph {
  const writer = new QdqWriter(graph, parameters);
  const input = graph.inputs[0]?.name as string;
  writer.quantizeActivation(input, input, parameters.get(input));
  for (const node of graph.nodes) {
    if (head.has(node)) writer.keepFloat(node);
    else writer.quantizeNode(node);
  }
  return { ...graph, nodes: writer.nodes, initializers: writer.initializers };
}

/** Writes the nodes and constants of a quantized graph, node by node. */
class QdqWriter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers = new Map<string, OnnxTensor>();
  readonly #graph: OnnxGraph;
  readonly #index: ReturnType<typeof indexGraph>;
  /** Parameters of the activations that have been quantized, and of those that will be. */
  readonly #parameters: Map<string, UInt8Parameters>;

  constructor(graph: OnnxGraph, parameters: ReadonlyMap<string, UInt8Parameters>) {
    this.#graph = graph;
    this.#index = indexGraph(graph);
    this.#parameters = new Map(parameters);
  }

  /** Writes the pair that quantizes tensor `source` and dequantizes it again, as activation `name`. */
  quantizeActivation(source: string, name: string, chosen: UInt8Parameters | undefined): void {
    if (chosen === undefined) throw new Error(`no quantization parameters for '${name}'`);
    this.#parameters.set(name, chosen);
    this.initializers.set(`${name}_s`, fp32Tensor([], Float32Array.of(chosen.scale)));
    this.initializers.set(`${name}_z`, {
      datatype: 'UINT8',
      shape: [],
      data: Uint8Array.of(chosen.zeroPoint),
    });
    const sidecars = [`${name}_s`, `${name}_z`];
    this.nodes.push(plainNode(`${name}_Quant`, 'QuantizeLinear', [source, ...sidecars], `${name}_Q`));
    this.nodes.push(
      plainNode(`${name}_Dequant`, 'DequantizeLinear', [`${name}_Q`, ...sidecars], `${name}_DQ`),
    );
  }

  /** Writes a node that stays in floats. */
  keepFloat(node: OnnxNode): void {
    this.nodes.push({ ...copyNode(node), inputs: node.inputs.map((name) => this.#toFloat(name)) });
  }

  /** Writes a node with quantized operands, and the pair behind its output. */
  quantizeNode(node: OnnxNode): void {
    const output = node.outputs[0] as string;
    const data = node.inputs[0] as string;
    const copy = copyNode(node);
    switch (node.opType) {
      case 'Relu':
      case 'Clip':
        break;
      case 'Conv':
      case 'Add': {
        copy.inputs =
          node.opType === 'Conv' ? this.#quantizeOperands(node) : node.inputs.map((name) => `${name}_DQ`);
        this.nodes.push(copy);
        const merged = toMergedOutput(this.#index, output);
        this.quantizeActivation(output, merged, this.#parameters.get(merged));
        break;
      }
      case 'Gemm':
        copy.inputs = this.#quantizeOperands(node);
        this.nodes.push(copy);
        break;
      default: {
        copy.inputs = [`${data}_DQ`, ...node.inputs.slice(1).map((name) => this.#toFloat(name))];
        this.nodes.push(copy);
        const keepsScale = /^(Pad|MaxPool|Flatten)$/.test(node.opType);
        this.quantizeActivation(output, output, this.#parameters.get(keepsScale ? data : output));
      }
    }
  }

  /** Data, weights and biases. Weights that two nodes share are written twice, because the scales of the biases differ. */
  #quantizeOperands(node: OnnxNode): string[] {
    const [data, weightsName, biasName] = node.inputs as [string, string, string | undefined];
    const tensor = this.#graph.initializers.get(weightsName) as OnnxTensor;
    const channels = tensor.shape[0]!;
    const bias = biasName
      ? toFloat32(this.#graph.initializers.get(biasName) as OnnxTensor, biasName)
      : new Float32Array(channels);
    const inputScale = (this.#parameters.get(data) as UInt8Parameters).scale;
    const quantized = quantizeWeights(toFloat32(tensor, weightsName), bias, inputScale);
    const shape = [channels];
    const weights = this.#dequantizeConstant(
      this.#isTaken(weightsName) ? `${node.name}_weight` : weightsName,
      { datatype: 'INT8', shape: tensor.shape, data: quantized.values },
      quantized.scales,
      { datatype: 'INT8', shape, data: new Int8Array(channels) },
    );
    const biases = this.#dequantizeConstant(
      !biasName || this.#isTaken(biasName) ? `${node.name}_bias` : biasName,
      { datatype: 'INT32', shape, data: quantized.bias },
      quantized.biasScales,
      { datatype: 'INT32', shape, data: new Int32Array(channels) },
    );
    return [`${data}_DQ`, weights, biases];
  }

  #isTaken(name: string): boolean {
    return this.initializers.has(`${name}_Q`);
  }

  /** @returns the name of the dequantized constant. */
  #dequantizeConstant(name: string, values: OnnxTensor, scales: Float32Array, zeros: OnnxTensor): string {
    this.initializers.set(`${name}_Q`, values);
    this.initializers.set(`${name}_s`, fp32Tensor([scales.length], scales));
    this.initializers.set(`${name}_z`, zeros);
    const node = plainNode(
      `${name}_Dequant`,
      'DequantizeLinear',
      [`${name}_Q`, `${name}_s`, `${name}_z`],
      `${name}_DQ`,
    );
    node.attributes.set('axis', { type: 'INT', value: 0 });
    this.nodes.push(node);
    return `${name}_DQ`;
  }

  /** @returns the tensor that a node in floats reads: a dequantized activation, a constant, or the output of such a node. */
  #toFloat(name: string): string {
    const constant = this.#graph.initializers.get(name);
    if (constant) this.initializers.set(name, constant);
    return this.#parameters.has(name) ? `${name}_DQ` : name;
  }
}

function copyNode(node: OnnxNode): OnnxNode {
  return { ...node, attributes: new Map(node.attributes) };
}

function plainNode(name: string, opType: string, inputs: string[], output: string): OnnxNode {
  return { name, opType, domain: '', inputs, outputs: [output], attributes: new Map() };
}
