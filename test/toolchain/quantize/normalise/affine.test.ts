import { describe, expect, test } from 'vitest';
import type { OnnxTensor } from '../../../../src/toolchain/onnx/onnx-tensor.ts';
import { parseAffine } from '../../../../src/toolchain/quantize/normalise/affine.ts';
import { float, floats, int, toGraph, toNode, toShapes, vector } from './small-graph.ts';

describe('arithmetic with a constant', () => {
  const parse = (opType: string, inputs: string[], c: OnnxTensor) => {
    const node = toNode(opType, inputs, 'y');
    const graph = toGraph([node], { c, other: c });
    return parseAffine(graph, node, toShapes(graph, 2, 2, 2));
  };
  const perChannel = floats([2, 1, 1], 2, 4);

  test.each([
    { formula: 'x + c', opType: 'Add', inputs: ['x', 'c'], scale: [1, 1], shift: [2, 4] },
    { formula: 'c + x', opType: 'Add', inputs: ['c', 'x'], scale: [1, 1], shift: [2, 4] },
    { formula: 'x - c', opType: 'Sub', inputs: ['x', 'c'], scale: [1, 1], shift: [-2, -4] },
    { formula: 'c - x', opType: 'Sub', inputs: ['c', 'x'], scale: [-1, -1], shift: [2, 4] },
    { formula: 'x * c', opType: 'Mul', inputs: ['x', 'c'], scale: [2, 4], shift: [0, 0] },
    { formula: 'c * x', opType: 'Mul', inputs: ['c', 'x'], scale: [2, 4], shift: [0, 0] },
    { formula: 'x / c', opType: 'Div', inputs: ['x', 'c'], scale: [0.5, 0.25], shift: [0, 0] },
  ])('$formula scales and shifts each channel', ({ opType, inputs, scale, shift }) => {
    expect(parse(opType, inputs, perChannel)).toEqual({
      input: 'x',
      scale: Float64Array.from(scale),
      shift: Float64Array.from(shift),
    });
  });

  test('c / x is refused', () => {
    expect(() => parse('Div', ['c', 'x'], perChannel)).toThrow('divides a constant by a feature map');
  });

  test.each([[[]], [[1]], [[1, 1, 1]]])('a constant of shape [%s] is that of all channels', (shape) => {
    expect(parse('Mul', ['x', 'c'], floats(shape, 3))?.scale).toEqual(Float64Array.of(3, 3));
  });

  test('a constant may spell the batch out', () => {
    expect(parse('Mul', ['x', 'c'], floats([1, 2, 1, 1], 3, 5))?.scale).toEqual(Float64Array.of(3, 5));
  });

  test.each([[[2]], [[2, 1]], [[1, 2, 1]], [[1, 1, 2]], [[2, 2, 2]]])(
    'a constant of shape [%s] differs within a channel and is refused',
    (shape) => {
      const c = floats(shape, ...new Array<number>(shape.reduce((a, b) => a * b)).fill(1));
      expect(() => parse('Add', ['x', 'c'], c)).toThrow(
        `node 'node_y' (Add): its constant of shape [${shape}] is not one value per channel`,
      );
    },
  );

  test.each([
    ['a sum of feature maps', 'Add', ['x', 'x']],
    ['a sum of constants', 'Add', ['c', 'other']],
    ['another operator', 'Sum', ['x', 'c']],
  ])('%s is none', (_, opType, inputs) => {
    expect(parse(opType, inputs, floats([1, 2, 2, 2], 1, 1, 1, 1, 1, 1, 1, 1))).toBeUndefined();
  });

  test('the bias of a layer is none', () => {
    const node = toNode('Add', ['x', 'c'], 'y');
    const graph = toGraph([node], { c: vector(1, 2) });
    expect(parseAffine(graph, node, toShapes(graph, 2))).toBeUndefined();
  });
});

describe('BatchNormalization', () => {
  const parameters = {
    gamma: vector(3, 1),
    beta: vector(10, 0),
    mean: vector(2, 1),
    variance: vector(8, 0.75),
  };
  const make = (constants: Record<string, OnnxTensor> = {}) => {
    const node = toNode('BatchNormalization', ['x', ...Object.keys(parameters)], 'y', { epsilon: float(1) });
    return { node, graph: toGraph([node], { ...parameters, ...constants }) };
  };
  const parse = ({ node, graph }: ReturnType<typeof make>) =>
    parseAffine(graph, node, toShapes(graph, 2, 1, 1));

  test('is gamma * (x - mean) / sqrt(variance + epsilon) + beta', () => {
    const affine = parse(make({ variance: vector(8, 3) }));
    expect(affine).toEqual({
      input: 'x',
      scale: Float64Array.of(1, 0.5),
      shift: Float64Array.of(8, -0.5),
    });
  });

  test('has an epsilon of 1e-5 where none is given', () => {
    const made = make({ variance: vector(0, 0) });
    made.node.attributes.clear();
    expect(parse(made)!.scale[1]).toBeCloseTo(316.227766, 4);
  });

  test('may declare that it is not in training mode, normalises channels, and leave further outputs out', () => {
    const made = make();
    made.node.attributes.set('training_mode', int(0)).set('spatial', int(1));
    made.node.outputs.push('');
    expect(parse(made)?.input).toBe('x');
  });

  test.each([
    ['training_mode', 1, 'is in training mode; export the model in inference mode'],
    ['spatial', 0, 'normalises each pixel on its own (spatial = 0)'],
  ])('with %s = %i is refused', (name, value, reason) => {
    const made = make();
    made.node.attributes.set(name, int(value));
    expect(() => parse(made)).toThrow(`node 'node_y' (BatchNormalization): ${reason}`);
  });

  test('with running statistics as outputs is in training mode', () => {
    const made = make();
    made.node.outputs.push('running_mean');
    expect(() => parse(made)).toThrow('is in training mode');
  });

  test.each(['gamma', 'beta', 'mean', 'variance'])(
    'with %s of the wrong length, or computed, is refused',
    (name) => {
      const reason = `its parameter '${name}' must be a constant of 2 elements`;
      expect(() => parse(make({ [name]: vector(1, 1, 1) }))).toThrow(reason);
      const computed = make();
      const shapes = toShapes(computed.graph, 2, 1, 1);
      computed.graph.initializers.delete(name);
      expect(() => parseAffine(computed.graph, computed.node, shapes)).toThrow(reason);
    },
  );

  test.each([-1, -2, Number.NaN])('with a variance of %d beside an epsilon of 1 is refused', (variance) => {
    expect(() => parse(make({ variance: vector(1, variance) }))).toThrow(
      'a variance is negative or not a number',
    );
  });
});
