import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kernelSetNames, shortStep } from '../../src/engine/kernel-layout.ts';
import type { Plan } from '../../src/engine/plan.ts';
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
  classify as classifyByDefinition,
  globalAveragePool,
  type Image,
  maxPool,
  outputSize,
  quantize,
} from './reference.ts';
import { noPadding, planOf } from './small-plan.ts';

const byte = fc.integer({ min: 0, max: 255 });
const zeroPoint = fc.oneof(fc.constantFrom(0, 255), byte);
type P = fc.Arbitrary<number>;

const arbitraryImage = (maxSide: number, maxChannels: number): fc.Arbitrary<Image> =>
  fc
    .record({
      height: fc.integer({ min: 1, max: maxSide }),
      width: fc.integer({ min: 1, max: maxSide }),
      channels: fc.integer({ min: 1, max: maxChannels }),
      zeroPoint,
      seed: fc.integer(),
      extreme: fc.boolean(),
    })
    .map(({ seed, extreme, ...image }) => {
      const { uniform } = createRandom(seed);
      const pick = () => (extreme ? 255 * Math.round(uniform()) : Math.floor(uniform() * 256));
      return {
        ...image,
        values: Uint8Array.from({ length: image.height * image.width * image.channels }, pick),
      };
    });

const runs = fuzz(150);

describe.each(kernelSetNames)('%s kernels', (set) => {
  /** Runs a plan on tensor 0, and reads the last one. */
  async function run(plan: Plan, image: Image): Promise<Uint8Array> {
    const machine = await openPlan(plan, new Uint8Array(0), set);
    writeTensor(machine, 0, image.channels, image.values);
    for (const step of machine.steps) step();
    return readTensor(machine, plan.tensors.length - 1, image.channels);
  }

  it('take the maximum of windows that reach over every edge, whatever the zero point', async (ctx) => {
    skipUnlessRunnable(ctx, set);
    const pair = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }));
    const cases = fc
      .record({
        image: arbitraryImage(9, 20),
        kernel: pair,
        stride: pair,
        pads: fc.tuple(...([0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 3 })) as [P, P, P, P])),
      })
      .filter(
        ({ image, kernel, pads }) =>
          // Every window sees a part of the image.
          Math.max(pads[0], pads[2]) < kernel[0] &&
          Math.max(pads[1], pads[3]) < kernel[1] &&
          image.height + pads[0] + pads[2] >= kernel[0] &&
          image.width + pads[1] + pads[3] >= kernel[1],
      );
    await fc.assert(
      fc.asyncProperty(cases, async ({ image, kernel, stride, pads }) => {
        const [height, width] = outputSize(image, { kernel, stride, pads });
        const shape = { channels: roundUp(image.channels, 8), zero_point: image.zeroPoint, pad: noPadding };
        const pool = {
          type: 'max_pool' as const,
          kernel,
          stride,
          pads: [pads[0], pads[1]] as [number, number],
        };
        const plan = planOf(
          [
            // A maximum over single pixels copies them: the border around the copy is the engine's own work.
            { ...pool, source: 0, target: 1, kernel: [1, 1], stride: [1, 1], pads: [0, 0] },
            { ...pool, source: 1, target: 2 },
          ],
          [
            { ...shape, height: image.height, width: image.width },
            {
              ...shape,
              height: image.height,
              width: image.width,
              pad: { top: pads[0], left: pads[1], bottom: pads[2], right: pads[3] },
              border: 'lowest',
            },
            { ...shape, height, width },
          ],
        );
        expect(await run(plan, image)).toEqual(maxPool(image, { kernel, stride, pads }));
      }),
      runs,
    );
  });

  it('average all pixels, also to where the result saturates', async (ctx) => {
    skipUnlessRunnable(ctx, set);
    const cases = fc.record({
      image: arbitraryImage(9, 20),
      target: zeroPoint,
      scale: fc.double({ min: 0.01, max: 20, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ image, target, scale }) => {
        const multiplier = Math.fround(scale / (image.height * image.width));
        const channels = roundUp(image.channels, 8);
        const plan = planOf(
          [
            {
              type: 'global_average_pool',
              source: 0,
              target: 1,
              multiplier,
              low: -target,
              high: 255 - target,
            },
          ],
          [
            {
              height: image.height,
              width: image.width,
              channels,
              pad: { top: 1, left: 2, bottom: 0, right: 1 },
              zero_point: image.zeroPoint,
            },
            { height: 1, width: 1, channels, pad: noPadding, zero_point: target },
          ],
        );
        expect(await run(plan, image)).toEqual(globalAveragePool(image, multiplier, target));
      }),
      runs,
    );
  });

  it('classify: float32 logits of int32 sums, for any number of classes', async (ctx) => {
    skipUnlessRunnable(ctx, set);
    const cases = fc.record({
      features: arbitraryImage(1, 150),
      classes: fc.integer({ min: 1, max: 40 }),
      seed: fc.integer(),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ features, classes, seed }) => {
        const { uniform } = createRandom(seed);
        const extreme = uniform() < 0.3;
        const layer = {
          weights: Int8Array.from({ length: classes * features.channels }, () =>
            extreme ? (uniform() < 0.5 ? -128 : 127) : Math.floor(uniform() * 256) - 128,
          ),
          bias: Int32Array.from({ length: classes }, () => (uniform() - 0.5) * 2 ** 22),
          multiplier: Float32Array.from({ length: classes }, () => uniform() * 1e-3),
        };
        const channels = roundUp(features.channels, 8);
        const packer = new WeightPacker();
        const plan = planOf(
          [
            {
              type: 'classify',
              source: 0,
              weights: packer.add(packPanels(layer.weights, [classes, features.channels, 1, 1], channels)),
              bias: packer.add(padToPanels(layer.bias)),
              multiplier: packer.add(padToPanels(layer.multiplier)),
              classes,
              length: roundUp(channels, shortStep),
            },
          ],
          [{ height: 1, width: 1, channels, pad: noPadding, zero_point: features.zeroPoint }],
          { packer, classes },
        );
        const machine = await openPlan(plan, packer.toBytes(), set);
        writeTensor(machine, 0, features.channels, features.values);
        machine.steps[0]!();
        const logits = new Float32Array(machine.memory.buffer, machine.layout.logits, classes);
        expect(logits).toEqual(classifyByDefinition(features, layer));
      }),
      runs,
    );
  });

  it('quantize the image, halves of a quantum to even, and what is out of range to its end', async (ctx) => {
    skipUnlessRunnable(ctx, set);
    const cases = fc.record({
      height: fc.integer({ min: 1, max: 6 }),
      width: fc.integer({ min: 4, max: 13 }),
      // Powers of two too: then halves of a quantum are exact.
      scale: fc.oneof(
        fc.constantFrom(1, 0.5, 1 / 64),
        fc.double({ min: 1e-3, max: 2, noNaN: true }).map(Math.fround),
      ),
      zeroPoint,
      quanta: fc.array(
        fc.oneof(
          fc.integer({ min: -300, max: 300 }).map((value) => value + 0.5),
          fc.double({ min: -300, max: 300, noNaN: true }),
          fc.constantFrom(0, -0, 255.5, -0.5, 1e30, -1e30),
        ),
        { minLength: 20, maxLength: 60 },
      ),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ height, width, scale, zeroPoint, quanta }) => {
        const image = Float32Array.from(
          { length: 3 * height * width },
          (_, index) => quanta[index % quanta.length]! * scale,
        );
        const plan = planOf(
          [{ type: 'quantize_input', target: 0, scale, zero_point: zeroPoint }],
          [
            {
              height,
              width,
              channels: 3,
              pad: { top: 2, left: 3, bottom: 1, right: 1 },
              zero_point: zeroPoint,
            },
          ],
          { input: { height, width } },
        );
        const machine = await openPlan(plan, new Uint8Array(0), set);
        new Float32Array(machine.memory.buffer, machine.layout.image, image.length).set(image);
        machine.steps[0]!();
        const expected = Uint8Array.from(image, (_, index) => {
          const [pixel, channel] = [Math.floor(index / 3), index % 3];
          return quantize(image[channel * height * width + pixel]!, scale, zeroPoint);
        });
        expect(readTensor(machine, 0, 3)).toEqual(expected);
      }),
      runs,
    );
  });
});
