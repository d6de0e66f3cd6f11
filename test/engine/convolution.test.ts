import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kernelSetNames } from '../../src/engine/kernels/layout.ts';
import { type Plan, tensorElements } from '../../src/engine/plan.ts';
import { packPanels, padToPanels, roundUp, WeightPacker } from '../../src/engine-compiler/weight-packer.ts';
import { openPlan, readTensor, runnableSets, writeTensor } from './machine.ts';
import { type Convolution, convolve, type Image, outputSize, type Residual } from './reference.ts';

interface Case {
  readonly image: Image;
  readonly conv: Convolution;
  readonly residual: Residual | undefined;
}

/** Small and awkward: channels that fill no panel, windows over every edge, values that saturate. */
const arbitraryCase: fc.Arbitrary<Case> = fc
  .record({
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
    seed: fc.integer(),
    extreme: fc.boolean(),
    relu: fc.boolean(),
    withResidual: fc.boolean(),
    residualFirst: fc.boolean(),
    zeroPoints: fc.tuple(
      ...([0, 1, 2, 3].map(() => fc.oneof(fc.constantFrom(0, 255), byte())) as [P, P, P, P]),
    ),
    /** How far typical sums reach: from a fraction of a quantum to far beyond 255. */
    spread: fc.double({ min: 0.2, max: 2000, noNaN: true }),
  })
  .filter(
    ({ height, width, kernel, pads }) =>
      height + pads[0] + pads[2] >= kernel[0] && width + pads[1] + pads[3] >= kernel[1],
  )
  .map(toCase);
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
  const random = createRandom(options.seed);
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
  const [ownScale, residualScale] = [0.2 + random(), 0.2 + random()].map(Math.fround) as [number, number];
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

function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A plan of this one convolution. */
function toPlan({ image, conv, residual }: Case, side?: 2 | 4): { plan: Plan; weights: Uint8Array } {
  const physical = image.channels === 3 ? 3 : roundUp(image.channels, 8);
  const outputs = roundUp(conv.outputs, 8);
  const [height, width] = outputSize(image, conv);
  const [top, left] = conv.pads;
  const flush = { top: 0, left: 0, bottom: 0, right: 0 };
  const shapes = [
    {
      height: image.height,
      width: image.width,
      channels: physical,
      // Winograd's tiles may look up to three rows and columns further than its windows.
      pad: { top, left, bottom: conv.pads[2] + conv.kernel[0], right: conv.pads[3] + conv.kernel[1] },
      zero_point: image.zeroPoint,
    },
    {
      height,
      width,
      channels: outputs,
      pad: { ...flush, left: 1 },
      zero_point: residual?.zeroPoint ?? conv.zeroPoint,
    },
    {
      height,
      width,
      channels: outputs,
      pad: { ...flush, top: 1 },
      zero_point: residual?.image.zeroPoint ?? 0,
    },
  ];
  let arena = 0;
  const tensors = shapes.map((shape) => {
    const tensor = { ...shape, border: 'zero' as const, offset: arena };
    arena += tensorElements(tensor);
    return tensor;
  });
  const packer = new WeightPacker();
  const shape = [conv.outputs, image.channels, ...conv.kernel] as const;
  const weights = packer.add(packPanels(conv.weights, shape, physical));
  const plan: Plan = {
    input: { name: 'data', height: image.height, width: image.width },
    output: { name: 'logits', classes: 1 },
    tensors,
    operators: [
      {
        type: 'convolve',
        name: 'conv',
        source: 0,
        target: 1,
        kernel: [...conv.kernel],
        stride: [...conv.stride],
        pads: [top, left],
        weights,
        bias: packer.add(padToPanels(conv.bias)),
        multiplier: packer.add(padToPanels(conv.multiplier)),
        // Two rows of tiles at once, so that blocks of rows are tested too.
        ...(side && { winograd: { side, tile_rows: 2, sets: [...kernelSetNames] } }),
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
    parts: packer.parts,
    arena_elements: arena,
  };
  return { plan, weights: packer.toBytes() };
}

const isWinograd = ({ image, conv }: Case) =>
  image.channels % 16 === 0 && [...conv.kernel, ...conv.stride].join() === '3,3,1,1';

async function run(test: Case, set: (typeof runnableSets)[number], side?: 2 | 4): Promise<Uint8Array> {
  const { plan, weights } = toPlan(test, side);
  const machine = await openPlan(plan, weights, set);
  writeTensor(machine, 0, test.image.channels, test.image.values);
  if (test.residual) writeTensor(machine, 2, test.conv.outputs, test.residual.image.values);
  machine.steps[0]!();
  return readTensor(machine, 1, test.conv.outputs);
}

describe.each(runnableSets)('convolution, %s kernels', (set) => {
  it('gives the integers of the naive reference, whatever the shape, padding, zero points and values', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryCase, async (test) => {
        expect(await run(test, set)).toEqual(convolve(test.image, test.conv, test.residual));
      }),
      { numRuns: 300 },
    );
  });
});

const winogradRuns = runnableSets.flatMap((set) => ([2, 4] as const).map((side) => ({ set, side })));
it.each(winogradRuns)(
  'through Winograd in tiles of $side, $set kernels, gives the integers of the naive reference',
  async ({ set, side }) => {
    await fc.assert(
      fc.asyncProperty(arbitraryCase.filter(isWinograd), async (test) => {
        expect(await run(test, set, side)).toEqual(convolve(test.image, test.conv, test.residual));
      }),
      { numRuns: 100 },
    );
  },
);
