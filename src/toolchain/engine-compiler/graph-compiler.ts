import { shortStep } from '../../engine/kernel-layout.ts';
import type { Plan, PlanFeature, PlanOperator } from '../../engine/plan.ts';
import { intAttribute } from '../onnx/onnx-attribute.ts';
import { UnsupportedGraphError } from '../onnx/onnx-errors.ts';
import type { OnnxGraph, OnnxNode } from '../onnx/onnx-graph.ts';
import { chooseStrassen } from './choose-strassen.ts';
import { chooseWinograd } from './choose-winograd.ts';
import { largestSum } from './largest-sum.ts';
import { planMemory } from './memory-planner.ts';
import { PoolCompiler } from './pool-compiler.ts';
import { QdqReader } from './qdq-reader.ts';
import { type FloatHead, readFloatHead } from './read-dense-head.ts';
import { toClamp, toMultipliers } from './requantization.ts';
import { toResidualSum } from './residual-sum.ts';
import { claimBorder, TensorTable, windowOf } from './tensor-table.ts';
import { packGroupedPanels, packPanels, padToPanels, roundUp, WeightPacker } from './weight-packer.ts';

type Convolve = Extract<PlanOperator, { type: 'convolve' }>;
const imageChannels = 3;

/** Walks a QDQ graph once and lists the operators of the engine's plan. */
export class GraphCompiler {
  readonly #reader: QdqReader;
  readonly #side: number;
  readonly #weights = new WeightPacker();
  readonly #operators: PlanOperator[] = [];
  readonly #features: PlanFeature[] = [];
  readonly #tensors = new TensorTable();
  /** The largest sum of each convolution without its bias, by the part that has its weights. */
  readonly #largestSums = new Map<number, number>();
  readonly #pools: PoolCompiler;
  #output: Plan['output'] | undefined;

  constructor(graph: OnnxGraph, side: number) {
    this.#reader = new QdqReader(graph);
    this.#pools = new PoolCompiler(this.#reader, this.#tensors);
    this.#side = side;
  }

  compile(): { readonly plan: Plan; readonly weights: Uint8Array } {
    const { graph } = this.#reader;
    const head = readFloatHead(graph);
    for (const node of graph.nodes) {
      if (!head?.nodes.has(node)) this.#compileNode(node);
    }
    if (head) this.#compileHead(head);
    if (!this.#output)
      throw new UnsupportedGraphError(undefined, 'the graph has no quantized classifier (Gemm) at its end');
    const operators = chooseStrassen(
      chooseWinograd(this.#operators, this.#tensors, this.#largestSums),
      this.#tensors,
    );
    const { tensors, arenaElements } = planMemory(this.#tensors.toPlan(), operators);
    const plan: Plan = {
      input: { name: graph.inputs[0]!.name, height: this.#side, width: this.#side },
      output: this.#output,
      tensors,
      operators,
      features: this.#features,
      parts: this.#weights.parts,
      arena_elements: arenaElements,
    };
    return { plan, weights: this.#weights.toBytes() };
  }

  #compileNode(node: OnnxNode): void {
    switch (node.opType) {
      case 'QuantizeLinear':
        if (node.inputs[0] === this.#reader.graph.inputs[0]?.name) this.#compileInput(node);
        return;
      case 'DequantizeLinear':
      case 'Relu': // looked through by QdqReader, as a Clip
      case 'Clip':
        return;
      case 'Conv':
        this.#compileConv(node);
        return;
      case 'Add':
        this.#compileAdd(node);
        return;
      case 'Pad':
      case 'MaxPool':
      case 'AveragePool':
      case 'GlobalAveragePool':
        this.#operators.push(...this.#pools.compile(node));
        return;
      case 'Flatten':
        this.#compileFlatten(node);
        return;
      case 'Gemm':
        this.#compileGemm(node);
        return;
      default:
        throw new UnsupportedGraphError(
          node,
          'the int8 engine has no such operator; onnxruntime-web runs it',
        );
    }
  }

  #compileHead({ source: dequantize, pools, layers }: FloatHead): void {
    const { scale } = this.#reader.quantizationOf(dequantize);
    const source = this.#tensors.find(dequantize, dequantize.inputs[0]!);
    const channels = this.#tensors.get(source).logicalChannels;
    this.#output = {
      name: this.#reader.graph.outputs[0]!.name,
      classes: layers.at(-1)?.bias.length ?? channels * pools.length,
    };
    this.#operators.push({
      type: 'dense_head',
      source,
      scale,
      channels,
      pools: [...pools],
      layers: layers.map(({ weights, bias, relu }) => ({
        weights: this.#weights.add(weights),
        bias: this.#weights.add(bias),
        relu,
      })),
    });
  }

  #compileInput(node: OnnxNode): void {
    const { scale, zeroPoint } = this.#reader.quantizationOf(node);
    const target = this.#tensors.add(node.outputs[0]!, [this.#side, this.#side, 3], zeroPoint, imageChannels);
    this.#operators.push({ type: 'quantize_input', target, scale, zero_point: zeroPoint });
  }

  #compileConv(node: OnnxNode): void {
    const input = this.#reader.readActivation(node, 0);
    const weights = this.#reader.readConstant(node, 1);
    const result = this.#reader.readResult(node);
    if (weights?.tensor.datatype !== 'INT8') throw new UnsupportedGraphError(node, 'its weights are not S8');
    if (!result) throw new UnsupportedGraphError(node, 'its result leaves the graph');
    const source = this.#tensors.find(node, input.tensor);
    const draft = this.#tensors.get(source);
    const [outputs = 0, inputs = 0, kernelHeight = 0, kernelWidth = 0] = weights.tensor.shape;
    if (weights.tensor.shape.length !== 4)
      throw new UnsupportedGraphError(node, 'only two-dimensional convolutions are run');
    const shape = [outputs, inputs, kernelHeight, kernelWidth] as const;
    const window = windowOf(node, draft, [kernelHeight, kernelWidth]);
    if (window.dilations.some((dilation) => dilation !== 1))
      throw new UnsupportedGraphError(node, 'dilated convolution');
    const groups = intAttribute(node, 'group', 1);
    if (inputs * groups !== draft.logicalChannels)
      throw new UnsupportedGraphError(
        node,
        `weights for ${inputs * groups} channels, got ${draft.logicalChannels}`,
      );

    const [height, width] = window.output;
    const target = this.#tensors.add(result.tensor, [height, width, outputs], result.zeroPoint);
    claimBorder(node, draft, window, 'zero');
    const multiplier = toMultipliers(input.scale, weights.scales, outputs, result.scale);
    const grouped =
      groups === 1 ? undefined : packGroupedPanels(weights.tensor.data, shape, groups, draft.channels);
    const part = this.#weights.add(grouped?.panels ?? packPanels(weights.tensor.data, shape, draft.channels));
    this.#largestSums.set(part, largestSum(weights.tensor.data, outputs, draft.zero_point));
    this.#operators.push({
      type: 'convolve',
      name: node.name || node.outputs[0]!,
      source,
      target,
      kernel: [kernelHeight, kernelWidth],
      stride: [...window.strides],
      pads: [window.pads[0], window.pads[1]],
      weights: part,
      bias: this.#weights.add(this.#readBias(node, outputs)),
      multiplier: this.#weights.add(padToPanels(multiplier)),
      ...(grouped && {
        grouped: { offsets: this.#weights.add(grouped.offsets), length: grouped.length },
      }),
      ...toClamp(result),
    });
  }

  /** Merges the sum of a residual block into the convolution that computes the later of its two operands. */
  #compileAdd(node: OnnxNode): void {
    const operands = [this.#reader.readActivation(node, 0), this.#reader.readActivation(node, 1)] as const;
    const result = this.#reader.readResult(node);
    if (!result) throw new UnsupportedGraphError(node, 'its result leaves the graph');
    const last = this.#operators.at(-1);
    const own = operands.findIndex(
      ({ tensor }) =>
        last?.type === 'convolve' &&
        last.target === this.#tensors.idOf(tensor) &&
        this.#reader.isReadOnlyBy(tensor, node),
    );
    if (own < 0 || last?.type !== 'convolve' || last.grouped) {
      throw new UnsupportedGraphError(node, 'neither operand is the convolution right before it');
    }
    const [conv, residual] = [operands[own]!, operands[1 - own]!];
    const draft = this.#tensors.get(last.target);
    const target = this.#tensors.add(
      result.tensor,
      [draft.height, draft.width, draft.logicalChannels],
      result.zeroPoint,
    );
    const fused: Convolve = {
      ...last,
      target,
      residual: {
        tensor: this.#tensors.find(node, residual.tensor),
        ...toResidualSum(node, conv, residual, result, own === 0),
      },
    };
    this.#operators[this.#operators.length - 1] = fused;
    this.#features.push({
      operator: this.#operators.length - 1,
      tensor: target,
      channels: draft.logicalChannels,
      scale: result.scale,
    });
  }

  #compileFlatten(node: OnnxNode): void {
    const input = this.#reader.readActivation(node, 0);
    const result = this.#reader.readResult(node);
    const source = this.#tensors.find(node, input.tensor);
    const { height, width } = this.#tensors.get(source);
    if (
      !result ||
      height * width !== 1 ||
      result.scale !== input.scale ||
      result.zeroPoint !== input.zeroPoint
    ) {
      throw new UnsupportedGraphError(node, 'flattening anything but pooled features');
    }
    this.#tensors.alias(result.tensor, source);
  }

  #compileGemm(node: OnnxNode): void {
    const input = this.#reader.readActivation(node, 0);
    const weights = this.#reader.readConstant(node, 1);
    const result = this.#reader.readResult(node);
    if (weights?.tensor.datatype !== 'INT8' || intAttribute(node, 'transB', 0) !== 1) {
      throw new UnsupportedGraphError(node, 'its weights are not S8 in rows of classes (transB = 1)');
    }
    if (result && !this.#reader.isGraphOutput(result.tensor))
      throw new UnsupportedGraphError(node, 'a hidden layer');
    const source = this.#tensors.find(node, input.tensor);
    const [classes = 0, inputs = 0] = weights.tensor.shape;
    const { channels, logicalChannels, height, width } = this.#tensors.get(source);
    if (inputs !== logicalChannels || height * width !== 1)
      throw new UnsupportedGraphError(node, `weights for ${inputs} features, got ${logicalChannels}`);
    const multiplier = toMultipliers(input.scale, weights.scales, classes, result?.scale);
    this.#output = { name: this.#reader.graph.outputs[0]!.name, classes };
    this.#operators.push({
      type: 'classify',
      source,
      weights: this.#weights.add(packPanels(weights.tensor.data, [classes, inputs, 1, 1], channels)),
      bias: this.#weights.add(this.#readBias(node, classes)),
      multiplier: this.#weights.add(padToPanels(multiplier)),
      classes,
      length: roundUp(channels, shortStep),
      ...(result && { logits: { scale: result.scale, zero_point: result.zeroPoint } }),
    });
  }

  #readBias(node: OnnxNode, channels: number): Int32Array {
    const bias = this.#reader.readConstant(node, 2);
    if (!bias) return padToPanels(new Int32Array(channels));
    if (bias.tensor.datatype !== 'INT32') throw new UnsupportedGraphError(node, 'its bias is not int32');
    return padToPanels(bias.tensor.data);
  }
}
