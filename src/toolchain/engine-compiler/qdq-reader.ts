import { UnsupportedGraphError } from '../onnx/onnx-errors.ts';
import {
  type GraphIndex,
  indexGraph,
  type OnnxGraph,
  type OnnxNode,
  soleConsumer,
} from '../onnx/onnx-graph.ts';
import type { OnnxTensor } from '../onnx/onnx-tensor.ts';

/** Scale and zero point of a per-tensor quantized tensor as U8. For S8, 128 is added to the zero point. */
export interface Quantization {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Weights or bias behind a DequantizeLinear: integers and one scale a channel (or one in all). */
export interface QuantizedConstant {
  readonly tensor: OnnxTensor;
  readonly scales: Float32Array;
}

/** Finds the quantized tensors that a node reads and writes through DequantizeLinear and QuantizeLinear. */
export class QdqReader {
  readonly graph: OnnxGraph;
  readonly #index: GraphIndex;

  constructor(graph: OnnxGraph) {
    this.graph = graph;
    this.#index = indexGraph(graph);
  }

  /** @returns the quantized tensor that a node reads as its input `position`, through its DequantizeLinear. */
  readActivation(node: OnnxNode, position: number): { readonly tensor: string } & Quantization {
    const dequantize = this.#producer(node, position, 'DequantizeLinear');
    return { tensor: dequantize.inputs[0]!, ...this.#quantization(dequantize) };
  }

  /** @returns what a node's input `position` holds, if an initializer is behind its DequantizeLinear. */
  readConstant(node: OnnxNode, position: number): QuantizedConstant | undefined {
    const name = node.inputs[position];
    if (!name) return undefined;
    const dequantize = this.#producer(node, position, 'DequantizeLinear');
    const tensor = this.graph.initializers.get(dequantize.inputs[0]!);
    const scales = this.graph.initializers.get(dequantize.inputs[1]!);
    const zeroPoints = this.graph.initializers.get(dequantize.inputs[2] ?? '');
    if (!tensor || scales?.datatype !== 'FP32')
      throw new UnsupportedGraphError(node, `input ${position} is no quantized constant`);
    const isCentredU8 = tensor.datatype === 'UINT8' && zeroPoints?.datatype === 'UINT8';
    if (isCentredU8 && zeroPoints.data.every((value) => value === 128)) {
      const data = Int8Array.from(tensor.data, (value) => value - 128);
      return { tensor: { datatype: 'INT8', shape: tensor.shape, data }, scales: scales.data };
    }
    if (zeroPoints && Array.from(zeroPoints.data as Int8Array, Number).some((value) => value !== 0)) {
      throw new UnsupportedGraphError(
        node,
        `input ${position} has a zero point: the int8 engine runs symmetric weights; onnxruntime-web runs it`,
      );
    }
    return { tensor, scales: scales.data };
  }

  /**
   * @returns the quantized tensor a node's result becomes: through a Relu, if there is one, and the
   *   QuantizeLinear; undefined if the result leaves the graph as float.
   */
  readResult(
    node: OnnxNode,
  ): ({ readonly tensor: string; readonly relu: boolean } & Quantization) | undefined {
    const output = node.outputs[0]!;
    if (this.#index.outputNames.has(output)) return undefined;
    const next = soleConsumer(this.#index, output);
    if (next?.opType === 'Relu' || next?.opType === 'Clip') {
      const after = this.readResult(next);
      if (after && next.opType === 'Clip') this.#assertReluLike(next, after);
      return after && { ...after, relu: true };
    }
    if (next?.opType !== 'QuantizeLinear') {
      throw new UnsupportedGraphError(node, 'its result is not quantized: run models quantize first');
    }
    return { tensor: next.outputs[0]!, relu: false, ...this.#quantization(next) };
  }

  /** A ReLU6 is a ReLU whose upper end is the largest value that its result is quantized to. */
  #assertReluLike(node: OnnxNode, { scale, zeroPoint }: Quantization): void {
    const [least, most] = [1, 2].map((position) => {
      const tensor = this.graph.initializers.get(node.inputs[position] ?? '');
      return tensor?.datatype === 'FP32' ? tensor.data[0] : undefined;
    });
    const largest = scale * (255 - zeroPoint);
    if (least !== 0 || most === undefined || largest > most + scale / 2)
      throw new UnsupportedGraphError(node, 'its result is quantized to a wider range than it has');
  }

  /** @returns whether only this node reads the quantized tensor, through a DequantizeLinear. */
  isReadOnlyBy(tensor: string, node: OnnxNode): boolean {
    const dequantize = soleConsumer(this.#index, tensor);
    return dequantize !== undefined && soleConsumer(this.#index, dequantize.outputs[0]!) === node;
  }

  /** @returns whether the dequantized tensor is a graph output. */
  isGraphOutput(tensor: string): boolean {
    const readers = this.#index.consumers.get(tensor) ?? [];
    return readers.some(
      (node) => node.opType === 'DequantizeLinear' && this.#index.outputNames.has(node.outputs[0]!),
    );
  }

  quantizationOf(node: OnnxNode): Quantization {
    return this.#quantization(node);
  }

  #producer(node: OnnxNode, position: number, opType: string): OnnxNode {
    const producer = this.#index.producers.get(node.inputs[position] ?? '');
    if (producer?.opType !== opType)
      throw new UnsupportedGraphError(node, `input ${position} is not quantized: run models quantize first`);
    return producer;
  }

  #quantization(node: OnnxNode): Quantization {
    const scale = this.graph.initializers.get(node.inputs[1]!);
    const zeroPoint = this.graph.initializers.get(node.inputs[2] ?? '');
    const datatype = zeroPoint?.datatype ?? 'UINT8';
    if (scale?.datatype !== 'FP32' || scale.data.length !== 1 || !/^U?INT8$/.test(datatype)) {
      throw new UnsupportedGraphError(node, 'activations must be of 8 bits with one scale and zero point');
    }
    // S8 is U8 minus 128, in zero points and in values, so their difference is the same.
    const offset = datatype === 'INT8' ? 128 : 0;
    return { scale: scale.data[0]!, zeroPoint: Number(zeroPoint?.data[0] ?? 0) + offset };
  }
}
