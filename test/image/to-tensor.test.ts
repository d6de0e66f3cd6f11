import { describe, expect, it } from 'vitest';
import { toTensor } from '../../src/image/to-tensor.ts';
import { defaultSpec } from './default-spec.ts';

const spec = { ...defaultSpec, resizeShortestEdge: 2, centerCrop: 2 };

describe('toTensor', () => {
  it('moves channels first and normalises each by its own mean and std', () => {
    const crop = Uint8Array.of(0, 51, 255, 10, 20, 30, 255, 255, 255, 0, 0, 0);
    const { datatype, shape, data } = toTensor(crop, spec);
    expect(datatype).toBe('FP32');
    expect(shape).toEqual([1, 3, 2, 2]);
    expect(Array.from(data.subarray(0, 4))).toEqual(
      [0, 10, 255, 0].map((sample) => Math.fround((sample / 255 - 0.485) / 0.229)),
    );
    expect(data[4]).toBe(Math.fround((51 / 255 - 0.456) / 0.224));
    expect(data[8]).toBe(Math.fround((1 - 0.406) / 0.225));
  });

  it('refuses a crop of another size', () => {
    expect(() => toTensor(new Uint8Array(11), spec)).toThrow('crop.length must be 12, got: 11');
  });

  it('refuses a std that is not positive', () => {
    expect(() => toTensor(new Uint8Array(12), { ...spec, std: [1, 0, 1] })).toThrow(
      'std[1] must be > 0, got: 0',
    );
  });
});
