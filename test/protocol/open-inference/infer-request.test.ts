import { describe, expect, it } from 'vitest';
import { CodedError } from '../../../src/errors.ts';
import { parseInferRequest } from '../../../src/protocol/open-inference/infer-request.ts';

const limits = { maxElements: 1000, maxInputs: 4 };
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const parseJson = (value: unknown) => parseInferRequest(encode(value), null, limits);
const input = (fields: object) => ({
  inputs: [{ name: 'data', shape: [2, 2], datatype: 'FP32', data: [1, 2, 3, 4], ...fields }],
});

function problem(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof CodedError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'no error';
}

describe('an infer request in JSON', () => {
  it("is the protocol's own example, flat or nested", () => {
    // Inference request example of the Open Inference Protocol, with the datatype that is served here.
    const example = {
      id: '42',
      inputs: [
        { name: 'input0', shape: [2, 2], datatype: 'UINT8', data: [1, 2, 3, 4] },
        { name: 'input1', shape: [3, 1], datatype: 'FP32', data: [[0.5], [-1], [1e-3]] },
      ],
      outputs: [{ name: 'output0' }],
    };
    const { id, inputs, outputs } = parseJson(example);
    expect(id).toBe('42');
    expect(inputs).toEqual([
      { name: 'input0', shape: [2, 2], datatype: 'UINT8', data: new Uint8Array([1, 2, 3, 4]) },
      { name: 'input1', shape: [3, 1], datatype: 'FP32', data: new Float32Array([0.5, -1, 1e-3]) },
    ]);
    expect(outputs).toEqual([{ name: 'output0', classification: undefined, binary: false }]);
  });

  it('carries images as base64, and knows the classification and binary parameters', () => {
    const { inputs, outputs } = parseJson({
      parameters: { binary_data_output: true },
      inputs: [{ name: 'data', shape: [2], datatype: 'BYTES', data: ['/9j/', 'iVBORw=='] }],
      outputs: [
        { name: 'a', parameters: { classification: 3 } },
        { name: 'b', parameters: { binary_data: false } },
      ],
    });
    expect(inputs[0]!.data).toEqual([
      new Uint8Array([0xff, 0xd8, 0xff]),
      new Uint8Array([0x89, 0x50, 0x4e, 0x47]),
    ]);
    expect(outputs).toEqual([
      { name: 'a', classification: 3, binary: true },
      { name: 'b', classification: undefined, binary: false },
    ]);
  });

  it.each([
    [input({ data: [1, 2, 'x', 4] }), 'inputs[0].data[2] must be a number that fits FP32, got: "x".'],
    [input({ data: [1, 1e39, 3, 4] }), 'inputs[0].data[1] must be a number that fits FP32, got: 1e+39.'],
    [
      input({
        data: [
          [1, 2],
          [3, null],
        ],
      }),
      'inputs[0].data[1][1] must be a number that fits FP32, got: null.',
    ],
    [input({ data: [[1, 2], [3]] }), 'inputs[0].data[1] must be an array of 2, as the shape says, got: 1.'],
    [input({ data: [1, 2, 3] }), 'inputs[0].data must be 4 elements, as the shape says, got: 3.'],
    [
      input({ datatype: 'UINT8', data: [1, 2, 3, 256] }),
      'inputs[0].data[3] must be an integer from 0 to 255, got: 256.',
    ],
    [
      input({ datatype: 'UINT8', data: [0.5, 2, 3, 4] }),
      'inputs[0].data[0] must be an integer from 0 to 255, got: 0.5.',
    ],
    [
      input({ datatype: 'BYTES', shape: [1], data: ['%'] }),
      'inputs[0].data[0] must be a base64 string, got: "%".',
    ],
    [input({ datatype: 'FP64' }), 'inputs[0].datatype must be one of FP32, UINT8, BYTES, got: "FP64".'],
    [input({ shape: [2, 0] }), 'inputs[0].shape[1] must be a positive integer, got: 0.'],
    [input({ shape: [2, '2'] }), 'inputs[0].shape[1] must be a positive integer, got: "2".'],
    [
      input({ shape: [1_000_000, 1_000_000] }),
      'inputs[0].shape must be of at most 1000 elements, got: [1000000,1000000].',
    ],
    [input({ data: undefined }), 'inputs[0] has no data.'],
    [
      { ...input({}), outputs: [{ name: 'logits', parameters: { classification: 0 } }] },
      'classification of output "logits" must be a positive integer, got: 0.',
    ],
  ])('refuses %j', (request, message) => {
    expect(problem(() => parseJson(request))).toBe(`tensor_invalid: ${message}`);
  });

  it.each([
    [[], /^json_invalid: The request: /],
    ['text', /^json_invalid: The request: /],
    [{}, /^json_invalid: inputs: /],
    [{ inputs: [] }, /^json_invalid: inputs: /],
    [input({ name: 3 }), /^json_invalid: inputs\[0\]\.name: /],
    [{ inputs: Array(5).fill(input({}).inputs[0]) }, /^json_invalid: 5 inputs, at most 4 are taken\.$/],
  ])('refuses %j as JSON of another protocol', (request, message) =>
    expect(problem(() => parseJson(request))).toMatch(message),
  );

  it('takes as many inputs and elements as it may, and integers from end to end', () => {
    const many = { inputs: Array(4).fill(input({}).inputs[0]) };
    expect(parseJson(many).inputs).toHaveLength(4);
    const { inputs } = parseJson(
      input({ datatype: 'UINT8', shape: [1000], data: Array(1000).fill(0).fill(255, 500) }),
    );
    expect([inputs[0]!.data[0], inputs[0]!.data[999]]).toEqual([0, 255]);
    expect(problem(() => parseJson(input({ shape: [1001] })))).toMatch('at most 1000 elements');
    const negative = input({ datatype: 'UINT8', data: [1, 2, 3, -1] });
    expect(problem(() => parseJson(negative))).toMatch('data[3] must be an integer from 0 to 255, got: -1.');
    const notText = input({ datatype: 'BYTES', shape: [1], data: [5] });
    expect(problem(() => parseJson(notText))).toMatch('data[0] must be a base64 string, got: 5.');
  });

  it('shows the beginning of a value that is long', () => {
    const long = input({ datatype: 'x'.repeat(500) });
    expect(problem(() => parseJson(long))).toMatch(/got: "x{79}\.$/);
  });

  it('takes a byte order mark for none', () => {
    const body = new Uint8Array([0xef, 0xbb, 0xbf, ...encode(input({}))]);
    expect(parseInferRequest(body, null, limits).inputs).toHaveLength(1);
  });

  it('refuses what is no JSON at all', () => {
    for (const bytes of [
      new Uint8Array(),
      new Uint8Array([0x22, 0xff, 0x22]),
      new TextEncoder().encode('{'),
    ]) {
      expect(problem(() => parseInferRequest(bytes, null, limits))).toBe(
        'json_invalid: The body is not JSON.',
      );
    }
  });
});

describe('an infer request with binary tensors', () => {
  /** As the extension lays it out: JSON, then each tensor's bytes in the order of the inputs. */
  function join(json: object, ...tensors: readonly number[][]): [Uint8Array, string] {
    const head = encode(json);
    return [new Uint8Array([...head, ...tensors.flat()]), String(head.byteLength)];
  }
  const binary = (name: string, shape: number[], datatype: string, size: number) => ({
    name,
    shape,
    datatype,
    parameters: { binary_data_size: size },
  });

  it('reads little-endian tensors, also where they are not aligned', () => {
    const request = {
      inputs: [
        binary('bytes', [2], 'BYTES', 11),
        binary('fp32', [2, 1], 'FP32', 8),
        { name: 'json', shape: [1], datatype: 'UINT8', data: [7] },
        binary('uint8', [3], 'UINT8', 3),
      ],
    };
    // The extension's own BYTES example begins with a length of 4 bytes; 1.0 is 0x3f800000, -2.0 0xc0000000.
    const [body, length] = join(
      request,
      [3, 0, 0, 0, 0xff, 0xd8, 0xff, 0, 0, 0, 0],
      [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0],
      [1, 2, 255],
    );
    const { inputs } = parseInferRequest(body, length, limits);
    expect(inputs.map(({ data }) => data)).toEqual([
      [new Uint8Array([0xff, 0xd8, 0xff]), new Uint8Array()],
      new Float32Array([1, -2]),
      new Uint8Array([7]),
      new Uint8Array([1, 2, 255]),
    ]);
  });

  it.each([
    [
      'a size over the body',
      [binary('a', [2], 'UINT8', 2)],
      [1],
      /binary_data_size must be at most the 1 bytes left, got: 2/,
    ],
    [
      'a size against the shape',
      [binary('a', [2], 'FP32', 4)],
      [0, 0, 0, 0],
      /binary_data_size must be 8, .* got: 4/,
    ],
    ['bytes left over', [binary('a', [1], 'UINT8', 1)], [1, 2], /^tensor_invalid: 1 bytes follow/],
    [
      'a size that is no number',
      [{ ...binary('a', [1], 'UINT8', 1), parameters: { binary_data_size: '1' } }],
      [1],
      /must be a whole number/,
    ],
    [
      'a size below nothing',
      [binary('a', [1], 'UINT8', -1)],
      [1],
      /^tensor_invalid: inputs\[0\]\.parameters\.binary_data_size must be a whole number of bytes, got: -1/,
    ],
    ['no bytes', [binary('a', [1], 'UINT8', 0)], [], /binary_data_size must be 1, .* got: 0/],
    [
      'data in both places',
      [{ ...binary('a', [1], 'UINT8', 1), data: [1] }],
      [1],
      /^tensor_invalid: inputs\[0\] has both/,
    ],
    [
      'NaN',
      [binary('a', [2], 'FP32', 8)],
      [0, 0, 0, 0, 0, 0, 0xc0, 0x7f],
      /inputs\[0\]\.data\[1\] must be finite, got: NaN/,
    ],
    [
      'a string over its tensor',
      [binary('a', [1], 'BYTES', 5)],
      [9, 0, 0, 0, 1],
      /inputs\[0\]\.data\[0\] must be a length and at most 1 bytes, got: 9/,
    ],
    ['a cut length', [binary('a', [1], 'BYTES', 3)], [1, 0, 0], /inputs\[0\]\.data\[0\] must be a length/],
    [
      'bytes after the last string',
      [binary('a', [1], 'BYTES', 6)],
      [1, 0, 0, 0, 5, 5],
      /1 bytes after its last element/,
    ],
  ])('refuses %s', (_, inputs, bytes, message) => {
    const [body, length] = join({ inputs }, bytes);
    expect(problem(() => parseInferRequest(body, length, limits))).toMatch(message);
  });

  it('takes a header of the whole body, with blanks around its length', () => {
    const body = encode(input({}));
    expect(parseInferRequest(body, ` ${body.length} `, limits).inputs).toHaveLength(1);
    expect(problem(() => parseInferRequest(body, String(body.length + 1), limits))).toMatch('must be from 1');
  });

  it.each(['0', '-1', '1e1', 'x', '', '99999'])('refuses a header length of "%s"', (length) => {
    expect(problem(() => parseInferRequest(encode(input({})), length, limits))).toMatch(
      /^tensor_invalid: Inference-Header-Content-Length must be from 1/,
    );
  });
});
