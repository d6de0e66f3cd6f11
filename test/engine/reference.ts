/**
 * What the engine's kernels are measured against: each operator as its definition reads, one loop a
 * dimension, quantized values in and out. Written to be checked by eye, not to be fast.
 */
const f32 = Math.fround;

export interface Image {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly zeroPoint: number;
  /** HWC, U8. */
  readonly values: ArrayLike<number>;
}

export interface Convolution {
  readonly outputs: number;
  readonly kernel: readonly [height: number, width: number];
  readonly stride: readonly [y: number, x: number];
  readonly pads: readonly [top: number, left: number, bottom: number, right: number];
  /** OIHW. */
  readonly weights: Int8Array;
  readonly bias: Int32Array;
  /** input scale x weight scale / output scale, float32, one a channel. */
  readonly multiplier: Float32Array;
  readonly zeroPoint: number;
  readonly relu: boolean;
}

export interface Residual {
  readonly image: Image;
  readonly ownScale: number;
  readonly residualScale: number;
  readonly fixed: number;
  readonly zeroPoint: number;
  readonly residualFirst: boolean;
  readonly relu: boolean;
}

export function outputSize(
  image: Image,
  { kernel, stride, pads }: Pick<Convolution, 'kernel' | 'stride' | 'pads'>,
): [number, number] {
  return [
    Math.floor((image.height + pads[0] + pads[2] - kernel[0]) / stride[0]) + 1,
    Math.floor((image.width + pads[1] + pads[3] - kernel[1]) / stride[1]) + 1,
  ];
}

/** int32 sums become quantized values: float32 product, round half to even, zero point, saturate. */
export function requantize(sum: number, multiplier: number, zeroPoint: number, relu: boolean): number {
  const value = roundHalfToEven(f32(f32(sum) * multiplier)) + zeroPoint;
  return Math.min(255, Math.max(relu ? zeroPoint : 0, value));
}

export function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** @returns HWC, U8. */
export function convolve(image: Image, conv: Convolution, residual?: Residual): Uint8Array {
  const [height, width] = outputSize(image, conv);
  const [kernelHeight, kernelWidth] = conv.kernel;
  const result = new Uint8Array(height * width * conv.outputs);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let output = 0; output < conv.outputs; output++) {
        let sum = conv.bias[output]!;
        for (let ky = 0; ky < kernelHeight; ky++) {
          for (let kx = 0; kx < kernelWidth; kx++) {
            const row = y * conv.stride[0] + ky - conv.pads[0];
            const column = x * conv.stride[1] + kx - conv.pads[1];
            if (row < 0 || column < 0 || row >= image.height || column >= image.width) continue;
            for (let channel = 0; channel < image.channels; channel++) {
              const value = image.values[(row * image.width + column) * image.channels + channel]!;
              const weight =
                conv.weights[((output * image.channels + channel) * kernelHeight + ky) * kernelWidth + kx]!;
              sum += (value - image.zeroPoint) * weight;
            }
          }
        }
        const at = (y * width + x) * conv.outputs + output;
        const own = requantize(sum | 0, conv.multiplier[output]!, conv.zeroPoint, conv.relu);
        result[at] = residual ? addResidual(own, residual.image.values[at]!, residual) : own;
      }
    }
  }
  return result;
}

/**
 * ONNX Runtime's QLinearAdd: first x scale + (second x scale + fixed), each product fused with its
 * addition. Products of 8 with 24 bits and these sums are exact in float64, so rounding once is fusing.
 */
function addResidual(own: number, other: number, residual: Residual): number {
  const { ownScale, residualScale, fixed, residualFirst, zeroPoint, relu } = residual;
  const [first, firstScale, second, secondScale] = residualFirst
    ? [other, residualScale, own, ownScale]
    : [own, ownScale, other, residualScale];
  const sum = f32(first * firstScale + f32(second * secondScale + fixed));
  return Math.min(255, Math.max(relu ? zeroPoint : 0, roundHalfToEven(sum)));
}

/** ONNX's QuantizeLinear: float32 division, round half to even, zero point, saturate. */
export function quantize(value: number, scale: number, zeroPoint: number): number {
  return Math.min(255, Math.max(0, roundHalfToEven(f32(value / scale)) + zeroPoint));
}

export type Pool = Pick<Convolution, 'kernel' | 'stride' | 'pads'>;

/** The greatest value of each window, what lies outside the image not counted. @returns HWC, U8. */
export function maxPool(image: Image, pool: Pool): Uint8Array {
  const [height, width] = outputSize(image, pool);
  const result = new Uint8Array(height * width * image.channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < image.channels; channel++) {
        let greatest = 0;
        for (let ky = 0; ky < pool.kernel[0]; ky++) {
          for (let kx = 0; kx < pool.kernel[1]; kx++) {
            const row = y * pool.stride[0] + ky - pool.pads[0];
            const column = x * pool.stride[1] + kx - pool.pads[1];
            if (row < 0 || column < 0 || row >= image.height || column >= image.width) continue;
            greatest = Math.max(
              greatest,
              image.values[(row * image.width + column) * image.channels + channel]!,
            );
          }
        }
        result[(y * width + x) * image.channels + channel] = greatest;
      }
    }
  }
  return result;
}

/**
 * The mean of each window, what lies outside the image not counted: ONNX Runtime's QLinearAveragePool, each operation
 * rounded to float32.
 *
 * @param scale of the image; @param result of what comes out. @returns HWC, U8.
 */
export function averagePool(
  image: Image,
  pool: Pool,
  scale: number,
  result: { readonly scale: number; readonly zeroPoint: number },
): Uint8Array {
  const [height, width] = outputSize(image, pool);
  const means = new Uint8Array(height * width * image.channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < image.channels; channel++) {
        let [sum, count] = [0, 0];
        for (let ky = 0; ky < pool.kernel[0]; ky++) {
          for (let kx = 0; kx < pool.kernel[1]; kx++) {
            const row = y * pool.stride[0] + ky - pool.pads[0];
            const column = x * pool.stride[1] + kx - pool.pads[1];
            if (row < 0 || column < 0 || row >= image.height || column >= image.width) continue;
            const value = image.values[(row * image.width + column) * image.channels + channel]!;
            sum = f32(sum + f32((value - image.zeroPoint) * scale));
            count++;
          }
        }
        const quantized = roundHalfToEven(f32(f32(f32(sum / count) / result.scale) + result.zeroPoint));
        means[(y * width + x) * image.channels + channel] = Math.min(255, Math.max(0, quantized));
      }
    }
  }
  return means;
}

/** @param multiplier input scale / output scale / pixels, float32. @returns one value a channel. */
export function globalAveragePool(image: Image, multiplier: number, zeroPoint: number): Uint8Array {
  const { height, width, channels, values } = image;
  return Uint8Array.from({ length: channels }, (_, channel) => {
    let sum = 0;
    for (let pixel = 0; pixel < height * width; pixel++)
      sum += values[pixel * channels + channel]! - image.zeroPoint;
    return requantize(sum, multiplier, zeroPoint, false);
  });
}

/** The last layer: one float32 logit a class. @param weights [classes][channels]. */
export function classify(
  { channels, values, zeroPoint }: Image,
  { weights, bias, multiplier }: Pick<Convolution, 'weights' | 'bias' | 'multiplier'>,
): Float32Array {
  return Float32Array.from(bias, (start, index) => {
    let sum = start;
    for (let channel = 0; channel < channels; channel++)
      sum += (values[channel]! - zeroPoint) * weights[index * channels + channel]!;
    return f32(sum | 0) * multiplier[index]!;
  });
}
