import { describe, expect, test } from 'vitest';
import { OnnxFormatError, UnsupportedGraphError } from '../../../src/toolchain/onnx/onnx-errors.ts';
import type { TensorProto } from '../../../src/toolchain/onnx/onnx-proto.ts';
import { halfToNumber, parseTensor, toFloat32, toIntegers } from '../../../src/toolchain/onnx/onnx-tensor.ts';

const raw = (...bytes: number[]) => Uint8Array.from(bytes);

describe('contents are read from wherever the exporter put them', () => {
  const cases: [string, TensorProto, readonly (number | bigint)[]][] = [
    ['FP32 raw', { dataType: 1, dims: [2], rawData: raw(0, 0, 128, 63, 0, 0, 0, 192) }, [1, -2]],
    ['FP32 float_data', { dataType: 1, dims: [2], floatData: [1, -2] }, [1, -2]],
    ['UINT8 int32_data', { dataType: 2, dims: [2], int32Data: [0, 255] }, [0, 255]],
    ['INT8 raw', { dataType: 3, dims: [2], rawData: raw(255, 127) }, [-1, 127]],
    ['INT32 int32_data', { dataType: 6, dims: [1], int32Data: [-70000] }, [-70000]],
    ['INT64 int64_data', { dataType: 7, dims: [2], int64Data: [-1, 2 ** 40] }, [-1n, 2n ** 40n]],
    ['INT64 raw', { dataType: 7, dims: [1], rawData: raw(255, 255, 255, 255, 255, 255, 255, 255) }, [-1n]],
    ['FP16 int32_data', { dataType: 10, dims: [1], int32Data: [0x3c00] }, [0x3c00]],
    ['FP64 double_data', { dataType: 11, dims: [1], doubleData: [0.1] }, [0.1]],
    ['a scalar', { dataType: 1, floatData: [3] }, [3]],
    ['an empty tensor', { dataType: 1, dims: [0] }, []],
  ];
  test.each(cases)('%s', (_, proto, expected) => {
    expect([...parseTensor({ name: 't', ...proto }).data]).toEqual(expected);
  });

  test('raw bytes that start at an odd address', () => {
    const shifted = raw(9, 0, 0, 128, 63).subarray(1);
    expect([...parseTensor({ dataType: 1, dims: [1], rawData: shifted }).data]).toEqual([1]);
  });
});

test('half precision: normal, subnormal, zero, infinite, not a number', () => {
  expect([0x3c00, 0xc000, 0x3555, 0x0001, 0x8000, 0x7bff].map(halfToNumber)).toEqual([
    1,
    -2,
    0.333251953125,
    2 ** -24,
    -0,
    65504,
  ]);
  expect(halfToNumber(0xfc00)).toBe(Number.NEGATIVE_INFINITY);
  expect(halfToNumber(0x7e00)).toBeNaN();
});

test('floats and integers are not mistaken for one another', () => {
  const floats = parseTensor({ name: 'w', dataType: 10, dims: [1], int32Data: [0x3c00] });
  const integers = parseTensor({ name: 'shape', dataType: 7, dims: [1], int64Data: [5] });
  expect([...toFloat32(floats, 'w')]).toEqual([1]);
  expect(toIntegers(integers, 'shape')).toEqual([5]);
  expect(() => toFloat32(integers, 'shape')).toThrow(/'shape' must hold floats, holds INT64/);
  expect(() => toIntegers(floats, 'w')).toThrow(/'w' must hold integers, holds FP16/);
});

test('refuses contents that do not fill the shape', () => {
  const proto = { name: 'w', dataType: 1, floatData: [1, 2, 3] };
  expect(() => parseTensor({ ...proto, dims: [4] })).toThrow(/'w' of shape \[4\] needs 4 elements, has 3/);
  expect(() => parseTensor({ ...proto, dims: [-3] })).toThrow(OnnxFormatError);
  expect(() => parseTensor({ dataType: 1, dims: [1], rawData: raw(1, 2, 3) })).toThrow(/3 bytes/);
});

test('refuses a type no ResNet has', () => {
  expect(() => parseTensor({ name: 'w', dataType: 8 })).toThrow(UnsupportedGraphError);
});
