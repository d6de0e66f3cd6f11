import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kernelSetNames } from '../../src/engine/kernel-layout.ts';
import {
  packGroupedPanels,
  padToPanels,
  roundUp,
  WeightPacker,
} from '../../src/toolchain/engine-compiler/weight-packer.ts';
import { fuzz } from '../fuzz.ts';
import { createRandom } from '../toolchain/quantize/seeded-random.ts';
import { openPlan, readTensor, skipUnlessRunnable, writeTensor } from './machine.ts';
import { averagePool, convolve, type Image, outputSize } from './reference.ts';
import { noPadding, planOf } from './small-plan.ts';

const runs = fuzz(150);
const byte = fc.oneof(fc.constantFrom(0, 255), fc.integer({ min: 0, max: 255 }));
const side = fc.integer({ min: 1, max: 9 });
const from1to = (max: number) => fc.integer({ min: 1, max });
const pair = (max: number) => fc.tuple(from1to(max), from1to(max));
const pads = fc.tuple(...([0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 2 })) as [P, P, P, P]));
type P = fc.Arbitrary<number>;

function makeImage(height: number, width: number, channels: number, zeroPoint: number, seed: number): Image {
  const { uniform } = createRandom(seed);
  const values = Uint8Array.from({ length: height * width * channels }, () => Math.floor(uniform() * 256));
  return { height, width, channels, zeroPoint, values };
}

const padOf = ([top, left, bottom, right]: readonly [number, number, number, number]) => ({
  top,
  left,
  bottom,
  right,
});

describe.each(kernelSetNames)('%s kernels', (set) => {
  it('convolve groups, of whatever size, each on its own channels', async (ctx) => {
    skipUnlessRunnable(ctx, set);
    const cases = fc
      .record({
        height: side,
        width: side,
        groups: from1to(9),
        inputs: from1to(17),
        outputs: from1to(17),
        kernel: pair(3),
        stride: pair(2),
        pads,
        zeroPoints: fc.tuple(byte, byte),
        seed: fc.integer(),
      })
      .filter(
        ({ height, width, kernel, pads: [top, left, bottom, right] }) =>
          height + top + bottom >= kernel[0] && width + left + right >= kernel[1],
      );
    await fc.assert(
      fc.asyncProperty(cases, async ({ groups, inputs, outputs, kernel, stride, seed, ...rest }) => {
        const { uniform } = createRandom(seed);
        const channels = groups * inputs;
        const total = groups * outputs;
        const image = makeImage(rest.height, rest.width, channels, rest.zeroPoints[0], seed);
        const places = kernel[0] * kernel[1];
        const weights = Int8Array.from(
          { length: total * inputs * places },
          () => Math.floor(uniform() * 255) - 127,
        );
        // The same as one group: a weight for another group's input is 0.
        const whole = new Int8Array(total * channels * places);
        for (let output = 0; output < total; output++) {
          const first = Math.floor(output / outputs) * inputs;
          for (let i = 0; i < inputs * places; i++)
            whole[(output * channels + first) * places + i] = weights[output * inputs * places + i]!;
        }
        const typical = 74 * 74 * Math.sqrt(inputs * places);
        const conv = {
          outputs: total,
          kernel,
          stride,
          pads: rest.pads,
          weights: whole,
          bias: Int32Array.from({ length: total }, () => (uniform() - 0.5) * typical),
          multiplier: Float32Array.from({ length: total }, () => ((0.5 + uniform()) * 60) / typical),
          zeroPoint: rest.zeroPoints[1],
          relu: false,
        };
        const packer = new WeightPacker();
        const physical = roundUp(channels, 8);
        const packed = packGroupedPanels(weights, [total, inputs, ...kernel], groups, physical);
        const [height, width] = outputSize(image, conv);
        const plan = planOf(
          [
            {
              type: 'convolve',
              name: 'conv',
              source: 0,
              target: 1,
              kernel,
              stride,
              pads: [rest.pads[0], rest.pads[1]],
              weights: packer.add(packed.panels),
              bias: packer.add(padToPanels(conv.bias)),
              multiplier: packer.add(padToPanels(conv.multiplier)),
              grouped: { offsets: packer.add(packed.offsets), length: packed.length },
              low: -conv.zeroPoint,
              high: 255 - conv.zeroPoint,
            },
          ],
          [
            {
              height: rest.height,
              width: rest.width,
              channels: physical,
              pad: padOf(rest.pads),
              zero_point: image.zeroPoint,
            },
            { height, width, channels: roundUp(total, 8), pad: noPadding, zero_point: conv.zeroPoint },
          ],
          { packer },
        );
        const machine = await openPlan(plan, packer.toBytes(), set);
        writeTensor(machine, 0, channels, image.values);
        machine.steps[0]!();
        expect(readTensor(machine, 1, total)).toEqual(convolve(image, conv));
      }),
      runs,
    );
  });

  it('average windows that reach over every edge, as onnxruntime rounds them', async (ctx) => {
    skipUnlessRunnable(ctx, set);
    const scale = fc.double({ min: 0.001, max: 0.2, noNaN: true }).map(Math.fround);
    const cases = fc
      .record({
        height: side,
        width: side,
        channels: from1to(20),
        kernel: pair(3),
        stride: pair(3),
        pads,
        zeroPoints: fc.tuple(byte, byte),
        scale,
        // Powers of two too: then halves of a quantum are exact.
        finer: fc.oneof(fc.constantFrom(0.5, 1, 2), fc.double({ min: 0.5, max: 2, noNaN: true })),
        seed: fc.integer(),
      })
      .filter(
        ({ height, width, kernel, pads: [top, left, bottom, right] }) =>
          // Every window sees a part of the image.
          Math.max(top, bottom) < kernel[0] &&
          Math.max(left, right) < kernel[1] &&
          height + top + bottom >= kernel[0] &&
          width + left + right >= kernel[1],
      );
    await fc.assert(
      fc.asyncProperty(cases, async ({ kernel, stride, seed, finer, ...rest }) => {
        const image = makeImage(rest.height, rest.width, rest.channels, rest.zeroPoints[0], seed);
        const pool = { kernel, stride, pads: rest.pads };
        const result = { scale: Math.fround(rest.scale * finer), zeroPoint: rest.zeroPoints[1] };
        const [height, width] = outputSize(image, pool);
        const channels = roundUp(rest.channels, 8);
        const plan = planOf(
          [
            {
              type: 'average_pool',
              source: 0,
              target: 1,
              kernel,
              stride,
              pads: [rest.pads[0], rest.pads[1]],
              scale: rest.scale,
              result_scale: result.scale,
              low: 0,
              high: 255,
            },
          ],
          [
            {
              height: rest.height,
              width: rest.width,
              channels,
              // Padding that another operator needs is not part of a mean.
              pad: { top: 1, left: 2, bottom: 0, right: 1 },
              zero_point: image.zeroPoint,
            },
            { height, width, channels, pad: noPadding, zero_point: result.zeroPoint },
          ],
        );
        const machine = await openPlan(plan, new Uint8Array(0), set);
        writeTensor(machine, 0, rest.channels, image.values);
        machine.steps[0]!();
        expect(readTensor(machine, 1, rest.channels)).toEqual(averagePool(image, pool, rest.scale, result));
      }),
      runs,
    );
  });
});
