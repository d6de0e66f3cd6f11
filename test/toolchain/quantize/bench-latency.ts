/**
 * Latency of int8 ResNet-18 in onnxruntime-web's wasm on one thread: the file handed to the project against
 * what our quantizer makes, in both formats, interleaved in one process.
 *
 *   RESNET_EDGE_SHARED=<folder> node test/toolchain/quantize/bench-latency.ts [rounds=40]
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-web';
import { compileToOrt } from '../../../src/toolchain/quantize/compile-to-ort.ts';
import { quantizeModel } from '../../../src/toolchain/quantize/quantize-model.ts';
import { collect, toViews } from './cross-validation.ts';
import { augmentations, readGoldenCrops } from './golden-images.ts';

const shared = process.env.RESNET_EDGE_SHARED;
if (shared === undefined) throw new Error('RESNET_EDGE_SHARED must name the shared folder');
const rounds = Number(process.argv[2] ?? 40);
ort.env.wasm.numThreads = 1;

const readModel = (name: string) => new Uint8Array(readFileSync(join(shared, 'models', name)));
const views = toViews(readGoldenCrops(shared).slice(0, 8), augmentations.slice(0, 1));
const { model } = await quantizeModel(readModel('resnet18-imagenet1k-fp32.onnx'), {
  calibration: views,
  method: 'percentile',
});
const handed = readModel('resnet18-imagenet1k-int8.onnx');

async function compile(bytes: Uint8Array): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'resnet-edge-'));
  await compileToOrt(bytes, join(folder, 'model.ort'));
  const compiled = new Uint8Array(readFileSync(join(folder, 'model.ort')));
  await rm(folder, { recursive: true });
  return compiled;
}

const candidates = await Promise.all(
  [
    { name: 'handed .onnx', bytes: handed },
    { name: 'ours   .onnx', bytes: model },
    { name: 'handed .ort', bytes: await compile(handed) },
    { name: 'ours   .ort', bytes: await compile(model) },
  ].map(async ({ name, bytes }) => ({
    name,
    bytes: bytes.length,
    session: await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] }),
    timesMs: [] as number[],
  })),
);
const [image] = await collect(toViews(readGoldenCrops(shared).slice(0, 1), augmentations.slice(0, 1)));
const feeds = { data: new ort.Tensor('float32', image as Float32Array, [1, 3, 224, 224]) };
for (let round = -3; round < rounds; round++) {
  for (const { session, timesMs } of candidates) {
    const start = performance.now();
    await session.run(feeds);
    if (round >= 0) timesMs.push(performance.now() - start);
  }
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] as number;
candidates.forEach(({ name, bytes, timesMs }, i) => {
  const baseline = candidates[i - (i % 2)]?.timesMs as number[];
  // The median of paired ratios: load that comes and goes hits both of a pair alike.
  const ratio = median(timesMs.map((time, round) => time / baseline[round]!));
  const [mid, least] = [median(timesMs).toFixed(1), Math.min(...timesMs).toFixed(1)];
  console.log(
    `${name.padEnd(13)} ${bytes} bytes  median ${mid} ms  min ${least} ms  ratio ${ratio.toFixed(3)}`,
  );
});
