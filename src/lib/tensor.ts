/** A dense float tensor, row-major. `datatype` and `shape` are named as in the Open Inference Protocol. */
export interface Fp32Tensor {
  readonly datatype: 'FP32';
  /** Every dimension is a positive integer; `data.length` is their product. */
  readonly shape: readonly number[];
  readonly data: Float32Array;
}
