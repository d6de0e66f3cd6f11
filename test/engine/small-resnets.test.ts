import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { type KernelSetName, kernelSetNames } from '../../src/engine/kernel-layout.ts';
import { alignUp, headerBytes, type Plan, parseHeader, parsePlan } from '../../src/engine/plan.ts';
import { createOrtNodeSession } from '../../src/inference/ort-node.ts';
import { compileEngineModel } from '../../src/toolchain/engine-compiler/compile-engine-model.ts';
import { QdqReader } from '../../src/toolchain/engine-compiler/qdq-reader.ts';
import { importGraph } from '../../src/toolchain/import/import-graph.ts';
import { UnsupportedGraphError } from '../../src/toolchain/onnx/onnx-errors.ts';
import { parseModel, serialiseModel } from '../../src/toolchain/onnx/onnx-model.ts';
import { datatypeCodes, type OnnxTensor } from '../../src/toolchain/onnx/onnx-tensor.ts';
import { quantizeModel } from '../../src/toolchain/quantize/quantize-model.ts';
import { countOperators, optimisedNodes, runModel } from '../toolchain/quantize/ort-checks.ts';
import { buildResnet, type ResnetSpelling } from '../toolchain/quantize/resnet-builder.ts';
import { createRandom } from '../toolchain/quantize/seeded-random.ts';
import {
  largestSafeWeight,
  openPlan,
  readTensor,
  runsRelaxedOnSmallWeights,
  skipUnlessRunnable,
} from './machine.ts';
import { roundHalfToEven } from './reference.ts';

/** Every shape of ResNet the engine promises to run, small, with random weights; by input size. */
const shapes: Record<string, ResnetSpelling & { readonly side: number; readonly perTensor?: boolean }> = {
  'basic blocks, 7x7 stem': { opset: 13, side: 64 },
  bottlenecks: { opset: 13, block: 'bottleneck', side: 64 },
  'bottlenecks, deep 3x3 stem': { opset: 14, block: 'bottleneck', stem: 'deep', side: 96 },
  'asymmetric padding': { opset: 9, stem: 'asymmetric', norm: 'affine-add', side: 80 },
  'padding as SAME_UPPER': { opset: 13, stem: 'auto-pad', side: 75 },
  'padding as a node, odd size': { opset: 13, stem: 'pad-node', side: 67 },
  'pooling in ceiling mode': { opset: 10, stem: 'ceil-pool', side: 70 },
  'average pooling in the shortcut, deep stem': {
    opset: 14,
    block: 'bottleneck',
    stem: 'deep',
    shortcut: 'average-pool',
    side: 96,
  },
  'average pooling in the shortcut, odd sizes': { opset: 14, shortcut: 'average-pool', side: 70 },
  'grouped convolutions': { opset: 17, block: 'grouped', side: 64 },
  'grouped convolutions, odd sizes': { opset: 17, block: 'grouped', side: 75 },
  'blocks that begin with their activation': { opset: 8, block: 'preactivation', side: 64 },
  'zeros before a pool': { opset: 15, stem: 'padded-pool', side: 64 },
  'zeros before a pool, blocks that begin with their activation': {
    opset: 13,
    stem: 'padded-pool',
    block: 'preactivation',
    side: 75,
  },
  'a mean and a deviation in the graph': { opset: 14, normalisesInput: true, side: 64 },
  ReLU6: { opset: 13, activation: 'relu6', side: 64 },
  'ReLU6, bottlenecks, pooling in the shortcut': {
    opset: 10,
    activation: 'relu6',
    block: 'bottleneck',
    shortcut: 'average-pool',
    side: 80,
  },
  'weights with one scale a tensor': { opset: 13, side: 64, perTensor: true },
  'bottlenecks, one scale a tensor': { opset: 13, block: 'bottleneck', side: 64, perTensor: true },
};

/** One scale for all channels of a weight, as quantize_static without `per_channel` makes it. */
function toPerTensor(onnx: Uint8Array): Uint8Array {
  const model = parseModel(onnx);
  const { nodes, initializers } = model.graph;
  for (const { opType, inputs, attributes } of nodes) {
    if (opType !== 'DequantizeLinear') continue;
    const [weights, scales, zeroPoints] = inputs.map((name) => initializers.get(name)) as OnnxTensor[];
    if (!weights || scales?.datatype !== 'FP32' || scales.data.length === 1) continue;
    const scale = Math.max(...scales.data);
    const perChannel = weights.data.length / scales.data.length;
    const data = (weights.data as Int8Array | Int32Array).map((value, index) =>
      Math.round((value * scales.data[Math.floor(index / perChannel)]!) / scale),
    );
    initializers.set(inputs[0]!, { ...weights, data } as OnnxTensor);
    initializers.set(inputs[1]!, { datatype: 'FP32', shape: [], data: Float32Array.of(scale) });
    if (zeroPoints)
      initializers.set(inputs[2]!, {
        ...zeroPoints,
        shape: [],
        data: zeroPoints.data.slice(0, 1),
      } as OnnxTensor);
    attributes.delete('axis');
  }
  return serialiseModel(model);
}

/** Weights halved: so no sum of two products saturates at 16 bits. */
function withSmallWeights(onnx: Uint8Array): Uint8Array {
  const model = parseModel(onnx);
  for (const [name, tensor] of model.graph.initializers) {
    if (tensor.datatype !== 'INT8' || tensor.shape.length < 2) continue;
    const data = tensor.data.map((weight) =>
      Math.max(-largestSafeWeight, Math.min(largestSafeWeight, Math.trunc(weight / 2))),
    );
    model.graph.initializers.set(name, { ...tensor, data });
  }
  return serialiseModel(model);
}

/** Waves under noise, CHW. */
function makeImage(side: number, seed: number): Float32Array {
  const random = createRandom(seed);
  const [fx, fy] = [random.uniform() * 0.6, random.uniform() * 0.6];
  return Float32Array.from({ length: 3 * side * side }, (_, index) => {
    const [x, y, channel] = [
      index % side,
      Math.floor(index / side) % side,
      Math.floor(index / (side * side)),
    ];
    return Math.sin(x * fx + y * fy + channel) * 1.5 + random.normal() * 0.4;
  });
}

async function makeModel(spelling: ResnetSpelling, side: number): Promise<Uint8Array> {
  const fp32 = buildResnet({ ...spelling, input: ['batch', 'channels', 'height', 'width'] });
  async function* calibration() {
    for (let seed = 1; seed <= 4; seed++) yield makeImage(side, seed);
  }
  return (await quantizeModel(fp32, { calibration: calibration(), method: 'minmax' })).model;
}

function split(file: Uint8Array): { plan: Plan; weights: Uint8Array } {
  const bytes = parseHeader(file);
  const plan = JSON.parse(new TextDecoder().decode(file.subarray(headerBytes, headerBytes + bytes)));
  return { plan, weights: file.subarray(alignUp(headerBytes + bytes)) };
}

interface Answers {
  readonly logits: Float32Array;
  /** Quantized result of each convolution, or of the sum it ends in; HWC. */
  readonly convolutions: readonly Uint8Array[];
}

/** What onnxruntime-node computes, with the result of every convolution made an output of the graph. */
async function askOnnxruntime(
  onnx: Uint8Array,
  plan: Plan,
  image: Float32Array,
  side: number,
): Promise<Answers> {
  const model = parseModel(onnx);
  const { graph } = model;
  const reader = new QdqReader(graph);
  const [convs, adds] = ['Conv', 'Add'].map((type) => graph.nodes.filter(({ opType }) => opType === type));
  const results = plan.operators
    .filter((operator) => operator.type === 'convolve')
    .map(({ residual }) => {
      const conv = convs!.shift()!;
      return reader.readResult(residual ? adds!.shift()! : conv)!;
    });
  expect([...convs!, ...adds!]).toEqual([]);
  const outputs = results.map(
    ({ tensor }) =>
      graph.nodes.find(({ opType, inputs }) => opType === 'DequantizeLinear' && inputs[0] === tensor)!
        .outputs[0]!,
  );
  for (const name of new Set(outputs))
    graph.outputs.push({ name, elementType: datatypeCodes.FP32, shape: undefined });
  const session = await createOrtNodeSession(serialiseModel(model));
  const answers = await session.run(
    new Map([[session.inputNames[0]!, { datatype: 'FP32', shape: [1, 3, side, side], data: image }]]),
  );
  await session.close();
  const convolutions = results.map(({ scale, zeroPoint }, index) => {
    const { shape, data } = answers.get(outputs[index]!)!;
    const [, channels, height, width] = shape as [number, number, number, number];
    const values = new Uint8Array(data.length);
    for (let channel = 0; channel < channels; channel++) {
      for (let pixel = 0; pixel < height * width; pixel++)
        values[pixel * channels + channel] =
          Math.round(data[channel * height * width + pixel]! / scale) + zeroPoint;
    }
    return values;
  });
  return { logits: answers.get(session.outputNames[0]!)!.data, convolutions };
}

async function askEngine(
  file: Uint8Array,
  set: KernelSetName,
  image: Float32Array,
  lengths: readonly number[],
  options?: { readonly isChecked: boolean },
): Promise<Answers> {
  const { plan, weights } = split(file);
  const machine = await openPlan(plan, weights, set, options);
  const { memory, layout } = machine;
  new Float32Array(memory.buffer, layout.image, image.length).set(image);
  const convolutions: Uint8Array[] = [];
  for (const [index, operator] of plan.operators.entries()) {
    machine.steps[index]!();
    if (operator.type !== 'convolve') continue;
    const { height, width } = plan.tensors[operator.target]!;
    const channels = lengths[convolutions.length]! / (height * width);
    convolutions.push(readTensor(machine, operator.target, channels));
  }
  return {
    logits: new Float32Array(memory.buffer, layout.logits, plan.output.classes).slice(),
    convolutions,
  };
}

/** The integers of every convolution, and the logits to the bit: the sums are ordered as ONNX Runtime orders them. */
async function compare(
  onnx: Uint8Array,
  side: number,
  set: KernelSetName,
  options?: { readonly isChecked: boolean },
): Promise<void> {
  const { file, plan } = compileEngineModel(onnx, side);
  for (const seed of [11, 12]) {
    const image = makeImage(side, seed);
    const expected = await askOnnxruntime(onnx, plan, image, side);
    expect(expected.convolutions.length).toBeGreaterThan(5);
    const lengths = expected.convolutions.map(({ length }) => length);
    expect(await askEngine(file, set, image, lengths, options)).toEqual(expected);
  }
}

describe.each(kernelSetNames)('the %s kernels give the integers and logits of onnxruntime-node', (set) => {
  it.for(Object.entries(shapes))('%s', async ([, { side, perTensor, ...spelling }], ctx) => {
    skipUnlessRunnable(ctx, set);
    const onnx = await makeModel(spelling, side);
    await compare(perTensor ? toPerTensor(onnx) : onnx, side, set);
  });

  it.for(['per-channel', 'per-tensor'])('quantized by quantize_static, %s', async (kind, ctx) => {
    skipUnlessRunnable(ctx, set);
    const path = new URL(`golden/quantize-static-${kind}.onnx`, import.meta.url);
    await compare(new Uint8Array(await readFile(path)), 64, set);
  });
});

describe('the relaxed kernels on weights so small that nothing saturates, on a CPU without AVX-VNNI too', () => {
  it.for(Object.entries(shapes))('%s', async ([, { side, perTensor, ...spelling }], ctx) => {
    ctx.skip(!runsRelaxedOnSmallWeights(), 'this CPU reads activations as signed');
    const onnx = await makeModel(spelling, side);
    await compare(withSmallWeights(perTensor ? toPerTensor(onnx) : onnx), side, 'relaxed', {
      isChecked: false,
    });
  });
});

describe.each(kernelSetNames)(
  'quantized elsewhere, the %s kernels give the logits of onnxruntime-node',
  (set) => {
    it.for(['s8s8', 's8s8-per-channel', 'qoperator'])('%s', async (kind, ctx) => {
      skipUnlessRunnable(ctx, set);
      const side = 64;
      const onnx = new Uint8Array(
        await readFile(new URL(`golden/quantize-static-${kind}.onnx`, import.meta.url)),
      );
      // As import takes it: onnxruntime runs S8 activations in floats here and there, and U8 in integers throughout.
      const { bytes } = await importGraph(parseModel(onnx), { side });
      expect(countOperators(await optimisedNodes(bytes))).not.toHaveProperty('Conv');
      const { file } = compileEngineModel(bytes, side);
      // The engine takes either.
      expect(compileEngineModel(onnx, side).file).toEqual(file);
      const { plan, weights } = split(file);
      for (const seed of [11, 12, 13]) {
        const image = makeImage(side, seed);
        const [expected] = await runModel(bytes, [image], [3, side, side]);
        const machine = await openPlan(plan, weights, set);
        new Float32Array(machine.memory.buffer, machine.layout.image, image.length).set(image);
        for (const step of machine.steps) step();
        const logits = new Float32Array(machine.memory.buffer, machine.layout.logits, plan.output.classes);
        const last = plan.operators.at(-1);
        // The operator format quantizes its logits too: the session undoes that, and the machine has what comes before.
        const { scale, zero_point: zero } = (last?.type === 'classify' && last.logits) || {
          scale: 0,
          zero_point: 0,
        };
        const actual = scale
          ? logits.map((value) => Math.min(255 - zero, Math.max(-zero, roundHalfToEven(value))) * scale + 0)
          : logits;
        expect(actual).toEqual(expected);
      }
    });
  },
);

it('weights that are U8 around another zero point than 128 are refused', async () => {
  const onnx = await readFile(new URL('golden/quantize-static-u8u8.onnx', import.meta.url));
  expect(() => compileEngineModel(new Uint8Array(onnx), 64)).toThrow(
    'symmetric weights; onnxruntime-web runs it',
  );
});

describe.each(kernelSetNames)('a head in floats behind the integers, %s kernels', (set) => {
  it.for<[string, ResnetSpelling]>([
    ['two layers', { opset: 13, classifier: 'two-layers' }],
    ['two pools and BatchNorms, as fastai has them', { opset: 13, classifier: 'two-pools' }],
    ['the same over grouped convolutions', { opset: 18, block: 'grouped', classifier: 'two-pools' }],
  ])('%s', async ([, spelling], ctx) => {
    skipUnlessRunnable(ctx, set);
    const side = 64;
    const onnx = await makeModel(spelling, side);
    const { file, plan } = compileEngineModel(onnx, side);
    expect(parsePlan(new TextEncoder().encode(JSON.stringify(plan))).operators.at(-1)?.type).toBe(
      'dense_head',
    );
    for (const seed of [11, 12]) {
      const image = makeImage(side, seed);
      const expected = await askOnnxruntime(onnx, plan, image, side);
      const lengths = expected.convolutions.map(({ length }) => length);
      const { logits, convolutions } = await askEngine(file, set, image, lengths);
      expect(convolutions).toEqual(expected.convolutions);
      expect(Array.from(logits)).toEqual(Array.from(expected.logits, (logit) => expect.closeTo(logit, 4)));
    }
  });
});

it('a plan whose head does not fit its features is not sound', async () => {
  const { plan } = compileEngineModel(await makeModel({ opset: 13, classifier: 'two-layers' }, 64), 64);
  const head = plan.operators.at(-1);
  if (head?.type !== 'dense_head') throw new Error('no head');
  const wrong = {
    ...plan,
    operators: [...plan.operators.slice(0, -1), { ...head, channels: head.channels - 1 }],
  };
  expect(() => parsePlan(new TextEncoder().encode(JSON.stringify(wrong)))).toThrow('cannot be read');
});

describe('the compiler refuses what the engine cannot run, and names the node', () => {
  it.each<[string, ResnetSpelling, RegExp]>([])('%s', async (_, spelling, message) => {
    const onnx = await makeModel(spelling, 64);
    expect(() => compileEngineModel(onnx, 64)).toThrow(message);
    expect(() => compileEngineModel(onnx, 64)).toThrow(UnsupportedGraphError);
  });
  it('a graph that is not quantized', () => {
    expect(() => compileEngineModel(buildResnet({ opset: 13, norm: 'folded' }), 32)).toThrow(
      /models quantize/,
    );
  });
});
