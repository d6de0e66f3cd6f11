import type { PlanOperator } from '../../engine/plan.ts';
import { intAttribute, stringAttribute } from '../onnx/onnx-attribute.ts';
import { UnsupportedGraphError } from '../onnx/onnx-errors.ts';
import type { OnnxNode } from '../onnx/onnx-graph.ts';
import { toIntegers } from '../onnx/onnx-tensor.ts';
import type { QdqReader } from './qdq-reader.ts';
import { toClamp, toMeanMultiplier } from './requantization.ts';
import { claimBorder, type TensorTable, windowOf } from './tensor-table.ts';

/** [top, left, bottom, right]. */
type Margins = readonly [number, number, number, number];

/** A tensor with zeros around it, which a MaxPool reads. */
interface Padded {
  /** The tensor without them. */
  readonly source: number;
  readonly margins: Margins;
}

/** Reads pools, and the padding before one. */
export class PoolCompiler {
  readonly #reader: QdqReader;
  readonly #tensors: TensorTable;
  readonly #padded = new Map<string, Padded>();

  constructor(reader: QdqReader, tensors: TensorTable) {
    this.#reader = reader;
    this.#tensors = tensors;
  }

  /**
   * @returns the engine's operators: none for a Pad, which becomes the border of the padded tensor.
   * @throws {UnsupportedGraphError} naming the node.
   */
  compile(node: OnnxNode): PlanOperator[] {
    switch (node.opType) {
      case 'Pad':
        this.#readPad(node);
        return [];
      case 'MaxPool':
        return [this.#compileMaxPool(node)];
      case 'AveragePool':
        return [this.#compileAveragePool(node)];
      default:
        return [this.#compileGlobalAveragePool(node)];
    }
  }

  #readPad(node: OnnxNode): void {
    const input = this.#reader.readActivation(node, 0);
    const result = this.#reader.readResult(node);
    const name = node.inputs[1] ?? '';
    const tensor = this.#reader.graph.initializers.get(name);
    const amounts = tensor ? toIntegers(tensor, name) : [];
    const isPlain =
      result?.scale === input.scale &&
      result.zeroPoint === input.zeroPoint &&
      amounts.length === 8 &&
      amounts.every((amount, i) => amount >= 0 && (amount === 0 || i % 4 >= 2)) &&
      stringAttribute(node, 'mode', 'constant') === 'constant' &&
      !node.inputs[2];
    if (!result || !isPlain)
      throw new UnsupportedGraphError(node, 'only zeros around height and width are run');
    const [, , top = 0, left = 0, , , bottom = 0, right = 0] = amounts;
    const source = this.#tensors.find(node, input.tensor);
    this.#padded.set(result.tensor, { source, margins: [top, left, bottom, right] });
  }

  #compileMaxPool(node: OnnxNode): PlanOperator {
    const input = this.#reader.readActivation(node, 0);
    const result = this.#reader.readResult(node);
    if (!result || result.scale !== input.scale || result.zeroPoint !== input.zeroPoint) {
      throw new UnsupportedGraphError(node, 'its input and output are not quantized alike');
    }
    const padded = this.#padded.get(input.tensor);
    const source = padded?.source ?? this.#tensors.find(node, input.tensor);
    const draft = this.#tensors.get(source);
    const window = padded ? this.#windowOverZeros(node, padded) : windowOf(node, draft, undefined);
    if (window.dilations.some((dilation) => dilation !== 1))
      throw new UnsupportedGraphError(node, 'dilated pooling');
    const [height, width] = window.output;
    claimBorder(node, draft, window, padded ? 'zero' : 'lowest');
    const target = this.#tensors.add(result.tensor, [height, width, draft.logicalChannels], result.zeroPoint);
    const { kernel, strides, pads } = window;
    return {
      type: 'max_pool',
      source,
      target,
      kernel: [...kernel],
      stride: [...strides],
      pads: [pads[0], pads[1]],
    };
  }

  /** The window as it lies on the tensor without its zeros. */
  #windowOverZeros(node: OnnxNode, { source, margins }: Padded) {
    const draft = this.#tensors.get(source);
    const [top, left, bottom, right] = margins;
    const whole = { ...draft, height: draft.height + top + bottom, width: draft.width + left + right };
    const window = windowOf(node, whole, undefined);
    if (window.pads.some((pad) => pad > 0))
      throw new UnsupportedGraphError(node, 'it pads what was padded with zeros already');
    return { ...window, pads: margins };
  }

  #compileAveragePool(node: OnnxNode): PlanOperator {
    const input = this.#reader.readActivation(node, 0);
    const result = this.#reader.readResult(node);
    if (!result) throw new UnsupportedGraphError(node, 'its result leaves the graph');
    const source = this.#tensors.find(node, input.tensor);
    const draft = this.#tensors.get(source);
    const { kernel, strides, pads, dilations, output } = windowOf(node, draft, undefined);
    if (dilations.some((dilation) => dilation !== 1))
      throw new UnsupportedGraphError(node, 'dilated pooling');
    if (intAttribute(node, 'count_include_pad', 0) === 1 && pads.some((pad) => pad > 0))
      throw new UnsupportedGraphError(node, 'it averages its padding too (count_include_pad)');
    return {
      type: 'average_pool',
      source,
      target: this.#tensors.add(result.tensor, [...output, draft.logicalChannels], result.zeroPoint),
      kernel: [...kernel],
      stride: [...strides],
      pads: [pads[0], pads[1]],
      scale: input.scale,
      result_scale: result.scale,
      low: result.relu ? result.zeroPoint : 0,
      high: 255,
    };
  }

  #compileGlobalAveragePool(node: OnnxNode): PlanOperator {
    const input = this.#reader.readActivation(node, 0);
    const result = this.#reader.readResult(node);
    if (!result) throw new UnsupportedGraphError(node, 'its result leaves the graph');
    const source = this.#tensors.find(node, input.tensor);
    const { height, width, logicalChannels } = this.#tensors.get(source);
    const target = this.#tensors.add(result.tensor, [1, 1, logicalChannels], result.zeroPoint);
    const multiplier = toMeanMultiplier(input.scale, result.scale, height * width);
    return { type: 'global_average_pool', source, target, multiplier, ...toClamp(result) };
  }
}
