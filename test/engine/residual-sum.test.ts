import { expect, it } from 'vitest';
import { createOrtNodeSession } from '../../src/inference/ort-node.ts';
import { toResidualSum } from '../../src/toolchain/engine-compiler/residual-sum.ts';
import { serialiseModel } from '../../src/toolchain/onnx/onnx-model.ts';
import { datatypeCodes, fp32Tensor, type OnnxTensor } from '../../src/toolchain/onnx/onnx-tensor.ts';
import { createRandom } from '../toolchain/quantize/seeded-random.ts';
import { roundHalfToEven } from './reference.ts';

const f32 = Math.fround;
const side = 256;

interface Quantization {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** onnxruntime's quantized sum of every pair of values of two operands. */
async function addAll(a: Quantization, b: Quantization, c: Quantization): Promise<Uint8Array> {
  const initializers = new Map<string, OnnxTensor>();
  for (const [name, { scale, zeroPoint }] of Object.entries({ a, b, c })) {
    initializers.set(`${name}_s`, fp32Tensor([], Float32Array.of(scale)));
    initializers.set(`${name}_z`, { datatype: 'UINT8', shape: [], data: Uint8Array.of(zeroPoint) });
  }
  const node = (opType: string, inputs: string[], output: string) => ({
    name: output,
    opType,
    domain: '',
    inputs,
    outputs: [output],
    attributes: new Map(),
  });
  const quantize = (from: string, name: string, to: string) => [
    node('QuantizeLinear', [from, `${name}_s`, `${name}_z`], `${to}_q`),
    node('DequantizeLinear', [`${to}_q`, `${name}_s`, `${name}_z`], `${to}_d`),
  ];
  const shape = [1, 1, side, side];
  const inputs = ['a', 'b'].map((name) => ({ name, elementType: datatypeCodes.FP32, shape }));
  const session = await createOrtNodeSession(
    serialiseModel({
      irVersion: 7,
      producerName: '',
      opsets: new Map([['', 13]]),
      graph: {
        name: 'sum',
        inputs,
        outputs: [{ name: 'sum_d', elementType: datatypeCodes.FP32, shape: undefined }],
        initializers,
        nodes: [
          ...quantize('a', 'a', 'a'),
          ...quantize('b', 'b', 'b'),
          node('Add', ['a_d', 'b_d'], 'sum'),
          ...quantize('sum', 'c', 'sum'),
        ],
      },
    }),
  );
  const values = (of: Quantization, toValue: (index: number) => number) => ({
    datatype: 'FP32' as const,
    shape,
    data: Float32Array.from({ length: side * side }, (_, i) => (toValue(i) - of.zeroPoint) * of.scale),
  });
  const feeds = new Map([
    ['a', values(a, (i) => i >> 8)],
    ['b', values(b, (i) => i & 255)],
  ]);
  const sums = (await session.run(feeds)).get('sum_d')!.data;
  await session.close();
  return Uint8Array.from(sums, (value) => Math.round(value / c.scale) + c.zeroPoint);
}

/** Halves of a quantum tell: with other constants a few of these 5 million pairs differ. */
it('sums every pair of values as onnxruntime does, whatever their scales and zero points', async () => {
  const { uniform } = createRandom(31);
  const at = { name: '', opType: 'Add', domain: '', inputs: [], outputs: [], attributes: new Map() };
  for (let round = 0; round < 80; round++) {
    const pick = (scale: number): Quantization => ({
      scale: f32(scale),
      zeroPoint: Math.floor(uniform() * 256),
    });
    const [a, b] = [pick(0.02 + uniform() * 0.2), pick(0.02 + uniform() * 0.2)];
    const c = { ...pick(0.03 + uniform() * 0.1), ...(round % 3 !== 0 && { zeroPoint: 0 }), relu: false };
    const { own_scale, residual_scale, fixed } = toResidualSum(at, a, b, c, true);
    const expected = await addAll(a, b, c);
    const actual = expected.map((_, i) => {
      const sum = f32((i >> 8) * own_scale + f32((i & 255) * residual_scale + fixed));
      return Math.min(255, Math.max(0, roundHalfToEven(sum)));
    });
    expect(actual).toEqual(expected);
  }
});
