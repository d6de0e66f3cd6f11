import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type KernelSetName, kernelSetNames } from '../../src/engine/kernel-layout.ts';
import type { Plan, PlanOperator } from '../../src/engine/plan.ts';
import {
  packPanels,
  padToPanels,
  roundUp,
  WeightPacker,
} from '../../src/toolchain/engine-compiler/weight-packer.ts';
import { fuzz } from '../fuzz.ts';
import { createRandom } from '../toolchain/quantize/seeded-random.ts';
import { openPlan, readTensor, skipUnlessRunnable, writeTensor } from './machine.ts';
import {
  type Convolution,
  convolve,
  type Image,
  outputSize,
  type Residual,
  roundHalfToEven,
} from './reference.ts';
import { noPadding, planOf } from './small-plan.ts';

interface Case {
  readonly image: Image;
  readonly conv: Convolution;
  readonly residual: Residual | undefined;
}

/** Small and awkward: channels that fill no panel, windows over every edge, values that saturate. */
const shapes = {
  height: fc.integer({ min: 1, max: 11 }),
  width: fc.integer({ min: 1, max: 11 }),
  channels: fc.oneof(fc.constantFrom(3, 16, 32, 64), fc.integer({ min: 1, max: 40 })),
  outputs: fc.integer({ min: 1, max: 20 }),
  kernel: fc.oneof(
    fc.constantFrom([3, 3] as [number, number], [1, 1] as [number, number]),
    fc.tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 })),
  ),
  stride: fc.oneof(
    fc.constant([1, 1] as [number, number]),
    fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  ),
  pads: fc.tuple(...([0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 3 })) as [P, P, P, P])),
  withResidual: fc.boolean(),
};
const numbers = {
  seed: fc.integer(),
  extreme: fc.boolean(),
  relu: fc.boolean(),
  residualFirst: fc.boolean(),
  zeroPoints: fc.tuple(
    ...([0, 1, 2, 3].map(() => fc.oneof(fc.constantFrom(0, 255), byte())) as [P, P, P, P]),
  ),
  /** How far typical sums reach: from a fraction of a quantum to far beyond 255. */
  spread: fc.double({ min: 0.2, max: 2000, noNaN: true }),
};
/** @param own what a way is made for. */
const casesOf = (own: Partial<typeof shapes> = {}): fc.Arbitrary<Case> =>
  fc
    .record({ ...shapes, ...numbers, ...own })
    .filter(
      ({ height, width, kernel, pads }) =>
        height + pads[0] + pads[2] >= kernel[0] && width + pads[1] + pads[3] >= kernel[1],
    )
    .map(toCase);
const is = <T>(value: T) => fc.constant(value);
type P = fc.Arbitrary<number>;

function byte(): fc.Arbitrary<number> {
  return fc.integer({ min: 0, max: 255 });
}

function toCase(options: {
  height: number;
  width: number;
  channels: number;
  outputs: number;
  kernel: [number, number];
  stride: [number, number];
  pads: [number, number, number, number];
  seed: number;
  extreme: boolean;
  relu: boolean;
  withResidual: boolean;
  residualFirst: boolean;
  zeroPoints: [number, number, number, number];
  spread: number;
}): Case {
  const { height, width, channels, outputs, kernel, stride, pads, extreme, relu, spread } = options;
  const { uniform: random } = createRandom(options.seed);
  const integer = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
  const pick = (low: number, high: number) => (extreme ? (random() < 0.5 ? low : high) : integer(low, high));
  const reduction = channels * kernel[0] * kernel[1];
  const typical = 74 * 74 * Math.sqrt(reduction);
  const image = {
    height,
    width,
    channels,
    zeroPoint: options.zeroPoints[0],
    values: Uint8Array.from({ length: height * width * channels }, () => pick(0, 255)),
  };
  const conv = {
    outputs,
    kernel,
    stride,
    pads,
    weights: Int8Array.from({ length: outputs * reduction }, () => pick(-128, 127)),
    bias: Int32Array.from({ length: outputs }, () => integer(-typical, typical)),
    multiplier: Float32Array.from({ length: outputs }, () => ((0.5 + random()) * spread) / typical),
    zeroPoint: options.zeroPoints[1],
    relu,
  };
  if (!options.withResidual) return { image, conv, residual: undefined };
  const [outputHeight, outputWidth] = outputSize(image, conv);
  // From the usual to where rounding errors are as large as the quanta.
  const [ownScale, residualScale] = [0, 1].map(() =>
    Math.fround(0.1 * 10 ** (4 * random() ** 4 + random())),
  ) as [number, number];
  const residual = {
    image: {
      height: outputHeight,
      width: outputWidth,
      channels: outputs,
      zeroPoint: options.zeroPoints[2],
      values: Uint8Array.from({ length: outputHeight * outputWidth * outputs }, () => pick(0, 255)),
    },
    ownScale,
    residualScale,
    fixed: Math.fround(
      options.zeroPoints[3] - (ownScale * conv.zeroPoint + residualScale * options.zeroPoints[2]),
    ),
    zeroPoint: options.zeroPoints[3],
    residualFirst: options.residualFirst,
    relu,
  };
  return { image, conv, residual };
}

/** A plan of this one convolution. */
function toPlan({ image, conv, residual }: Case, marks: Marks = {}): { plan: Plan; weights: Uint8Array } {
  const physical = image.channels === 3 ? 3 : roundUp(image.channels, 8);
  const outputs = roundUp(conv.outputs, marks.strassen ? 16 : 8);
  const [height, width] = outputSize(image, conv);
  const [top, left] = conv.pads;
  const output = { height, width, channels: outputs };
  const packer = new WeightPacker();
  const shape = [conv.outputs, image.channels, ...conv.kernel] as const;
  const plan = planOf(
    [
      {
        type: 'convolve',
        name: 'conv',
        source: 0,
        target: 1,
        kernel: [...conv.kernel],
        stride: [...conv.stride],
        pads: [top, left],
        weights: packer.add(
          padded(packPanels(conv.weights, shape, physical), outputs, roundUp(conv.outputs, 8)),
        ),
        bias: packer.add(padded(padToPanels(conv.bias), outputs)),
        multiplier: packer.add(padded(padToPanels(conv.multiplier), outputs)),
        ...marks,
        low: conv.relu ? 0 : -conv.zeroPoint,
        high: 255 - conv.zeroPoint,
        ...(residual && {
          residual: {
            tensor: 2,
            own_scale: residual.ownScale,
            residual_scale: residual.residualScale,
            fixed: residual.fixed,
            own_zero_point: conv.zeroPoint,
            residual_zero_point: residual.image.zeroPoint,
            sum_zero_point: residual.zeroPoint,
            residual_first: residual.residualFirst,
            low: residual.relu ? residual.zeroPoint : 0,
            high: 255,
          },
        }),
      },
    ],
    [
      {
        height: image.height,
        width: image.width,
        channels: physical,
        // Winograd's tiles may look up to three outputs further than its windows.
        pad: {
          top,
          left,
          bottom: conv.pads[2] + conv.kernel[0] * conv.stride[0],
          right: conv.pads[3] + conv.kernel[1] * conv.stride[1],
        },
        zero_point: image.zeroPoint,
      },
      { ...output, pad: { ...noPadding, left: 1 }, zero_point: residual?.zeroPoint ?? conv.zeroPoint },
      { ...output, pad: { ...noPadding, top: 1 }, zero_point: residual?.image.zeroPoint ?? 0 },
    ],
    { packer },
  );
  return { plan, weights: packer.toBytes() };
}

/** Panels of zeros behind, where a way takes two at once. */
function padded<T extends Int8Array | Int32Array | Float32Array>(
  values: T,
  outputs: number,
  has = values.length,
): T {
  const all = new (values.constructor as { new (length: number): T })((values.length / has) * outputs);
  all.set(values);
  return all;
}

async function run(test: Case, set: KernelSetName, marks?: Marks): Promise<Uint8Array> {
  const { plan, weights } = toPlan(test, marks);
  const machine = await openPlan(plan, weights, set, { isChecked: !marks?.winograd });
  writeTensor(machine, 0, test.image.channels, test.image.values);
  if (test.residual) writeTensor(machine, 2, test.conv.outputs, test.residual.image.values);
  machine.steps[0]!();
  return readTensor(machine, 1, test.conv.outputs);
}

type Marks = Pick<Extract<PlanOperator, { type: 'convolve' }>, 'winograd' | 'strassen'>;
/** Tiles of 4 are right below 2^25: 9 x 112 x 255 x -128 is 98 % of that. */
const largest = {
  height: 6,
  width: 5,
  channels: 112,
  kernel: [3, 3] as readonly [number, number],
  stride: [1, 1] as readonly [number, number],
  pads: [1, 1, 1, 1] as readonly [number, number, number, number],
};
interface Way {
  readonly way: string;
  readonly sets: readonly KernelSetName[];
  readonly marks?: Marks;
  readonly own?: Partial<typeof shapes>;
  /** Where it differs from `largest`. */
  readonly worst?: Partial<typeof largest>;
  readonly runs: number;
}
// Two rows of tiles at once, so that blocks of rows are tested too.
const winograd = (side: 2 | 3 | 4 | 7 | 14): Marks => ({
  winograd: { side, tile_rows: 2, sets: [...kernelSetNames] },
});
const threeByThree = {
  kernel: is<[number, number]>([3, 3]),
  stride: is<[number, number]>([1, 1]),
  channels: fc.constantFrom(16, 32, 64),
};
const ways: Way[] = [
  { way: 'directly', sets: kernelSetNames, runs: 300 },
  {
    way: "by Winograd's way in tiles of 2",
    sets: kernelSetNames,
    marks: winograd(2),
    own: threeByThree,
    runs: 100,
  },
  {
    way: "by Winograd's way in tiles of 4",
    sets: kernelSetNames,
    marks: winograd(4),
    own: threeByThree,
    runs: 100,
  },
  ...([7, 14] as const).map((side) => ({
    way: `by Winograd's way in tiles of 4 and 3, ${side} x ${side}`,
    sets: kernelSetNames,
    marks: winograd(side),
    own: {
      ...threeByThree,
      height: is(side),
      width: is(side),
      pads: is<[number, number, number, number]>([1, 1, 1, 1]),
      channels: fc.constantFrom(32, 96),
    },
    worst: { height: side, width: side, channels: 96 },
    runs: 420 / side,
  })),
  ...([2, 4] as const).map((side) => ({
    way: `by Winograd's way in tiles of ${side}, stride 2`,
    sets: ['plain'] as const,
    marks: winograd(side),
    own: { ...threeByThree, stride: is<[number, number]>([2, 2]), height: fc.integer({ min: 1, max: 24 }) },
    worst: { stride: [2, 2] as const, height: 9, width: 12 },
    runs: 100,
  })),
  {
    way: "as a stem by Winograd's way",
    sets: ['plain'],
    marks: winograd(3),
    own: {
      height: fc.integer({ min: 10, max: 22 }),
      width: fc.integer({ min: 10, max: 34 }),
      kernel: is<[number, number]>([7, 7]),
      stride: is<[number, number]>([2, 2]),
      channels: is(3),
      withResidual: is(false),
    },
    worst: { height: 20, width: 20, channels: 3, kernel: [7, 7], stride: [2, 2], pads: [3, 3, 3, 3] },
    runs: 100,
  },
  {
    way: "by Strassen's algorithm",
    sets: ['plain'],
    // Several blocks, and pixels that have no other.
    marks: { strassen: { block_pixels: 14 } },
    own: { kernel: is<[number, number]>([1, 1]), channels: fc.constantFrom(32, 64, 96) },
    worst: { kernel: [1, 1], pads: [0, 0, 0, 0], channels: 1024 },
    runs: 100,
  },
];

describe.each(ways.flatMap(({ sets, ...way }) => sets.map((set) => ({ ...way, set }))))(
  'convolution $way, $set kernels',
  ({ set, marks, own, worst, runs }) => {
    it('gives the integers of the naive reference, whatever the shape, padding, zero points and values', async (ctx) => {
      // Winograd's way does without the relaxed instruction.
      if (!marks?.winograd) skipUnlessRunnable(ctx, set);
      await fc.assert(
        fc.asyncProperty(casesOf(own), async (test) => {
          expect(await run(test, set, marks)).toEqual(convolve(test.image, test.conv, test.residual));
        }),
        fuzz(runs),
      );
    });

    it('is exact for the largest sums that it is given', async (ctx) => {
      if (!marks?.winograd) skipUnlessRunnable(ctx, set);
      const { height, width, channels, kernel, stride, pads } = { ...largest, ...worst };
      const outputs = 10;
      const values = new Uint8Array(height * width * channels).fill(255);
      const image = { height, width, channels, zeroPoint: 0, values };
      // Every other output has the sum 0, or nearly so.
      const length = kernel[0] * kernel[1] * channels;
      const weights = new Int8Array(outputs * length).fill(-128);
      for (let index = 0; index < weights.length; index += 2) {
        if (Math.floor(index / length) % 2 === 1) weights[index] = 127;
      }
      const conv = {
        outputs,
        kernel,
        stride,
        pads,
        weights,
        bias: Int32Array.from({ length: outputs }, (_, index) => 1000 * index),
        multiplier: new Float32Array(outputs).fill(2 ** -17),
        zeroPoint: 254,
        relu: false,
      };
      const answer = await run({ image, conv, residual: undefined }, set, marks);
      expect(answer).toEqual(convolve(image, conv));
      expect(new Set(answer).size).toBeGreaterThan(1);
    });
  },
);

type Scales = Pick<Residual, 'ownScale' | 'residualScale' | 'fixed' | 'residualFirst'>;

/**
 * Pairs of quantized values whose sum would be another where each product and addition is rounded on
 * its own, as WebAssembly does it, than where they are fused, as ONNX Runtime does it.
 */
function findFusedPairs({
  ownScale,
  residualScale,
  fixed,
  residualFirst,
}: Scales): [own: number, other: number][] {
  const f32 = Math.fround;
  const [scale1, scale2] = residualFirst ? [residualScale, ownScale] : [ownScale, residualScale];
  const pairs: [number, number][] = [];
  for (let first = 0; first < 256; first++) {
    for (let second = 0; second < 256; second++) {
      const fused = f32(first * scale1 + f32(second * scale2 + fixed));
      const single = f32(f32(first * scale1) + f32(f32(second * scale2) + fixed));
      if (fused > 0 && fused < 255 && roundHalfToEven(fused) !== roundHalfToEven(single))
        pairs.push(residualFirst ? [second, first] : [first, second]);
    }
  }
  return pairs;
}

describe.each([
  { kind: 'usual', toScale: (random: number) => (2 * Math.floor(random * 64) + 1) / 128, offset: 30.25 },
  { kind: 'very large', toScale: (random: number) => 20 + 300 * random, offset: 20_000 },
])('a residual sum near a half, $kind scales', ({ toScale, offset }) => {
  it.for(kernelSetNames)('is rounded as if it were fused: %s kernels', async (set, ctx) => {
    skipUnlessRunnable(ctx, set);
    const { uniform } = createRandom(4);
    let found = 0;
    for (let attempt = 0; attempt < 120; attempt++) {
      const scales = {
        ownScale: Math.fround(toScale(uniform()) * (1 + 2 ** -22)),
        residualScale: Math.fround(toScale(uniform()) * (1 - 2 ** -23)),
        fixed: Math.fround(-offset),
        residualFirst: attempt % 2 === 1,
      };
      const pairs = findFusedPairs(scales);
      if (pairs.length === 0) continue;
      found += pairs.length;
      const line = { height: 1, width: pairs.length };
      // One weight of 1 and equal zero points: the convolution gives its input.
      const image = { ...line, channels: 1, zeroPoint: 10, values: Uint8Array.from(pairs, ([own]) => own) };
      const conv = {
        outputs: 1,
        kernel: [1, 1] as const,
        stride: [1, 1] as const,
        pads: [0, 0, 0, 0] as const,
        weights: Int8Array.of(1),
        bias: Int32Array.of(0),
        multiplier: Float32Array.of(1),
        zeroPoint: 10,
        relu: false,
      };
      const other = {
        ...line,
        channels: 1,
        zeroPoint: 20,
        values: Uint8Array.from(pairs, ([, value]) => value),
      };
      const residual = { ...scales, image: other, zeroPoint: 7, relu: false };
      expect(await run({ image, conv, residual }, set)).toEqual(convolve(image, conv, residual));
    }
    expect(found).toBeGreaterThan(10);
  });
});
