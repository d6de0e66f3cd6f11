/**
 * `npm run bench:inference [-- --rounds 15] [--layers] [--against DIR]`: one image through the network, everyone taking turns in
 * one process on one thread. Ratios count; milliseconds depend on the machine and what else it does.
 * `--layers` times the int8 engine operator by operator instead, against the peak of its dot product;
 * `--against` so too, taking turns with the engine of another checkout, which needs its node_modules.
 * Everything it needs is here: ResNet-18 is the default model, ResNet-50 has the real topology and seeded weights, and
 * fp32 is made of int8 by dequantizing. Speed does not depend on what a network has learned.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { env, InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import { bootEdgeRuntime, loadFile } from '../../src/cli/models/node-runtime.ts';
import { projectRoot } from '../../src/cli/paths.ts';
import { bootEngineNode } from '../../src/inference/engine-node.ts';
import { createOrtNodeSession } from '../../src/inference/ort-node.ts';
import type { Fp32Tensor } from '../../src/lib/tensor.ts';
import { compileEngineModel } from '../../src/toolchain/engine-compiler/compile-engine-model.ts';
import { GraphCompiler } from '../../src/toolchain/engine-compiler/graph-compiler.ts';
import { toFp32 } from '../../src/toolchain/export/to-fp32.ts';
import { parseModel } from '../../src/toolchain/onnx/onnx-model.ts';
import { compileToOrt } from '../../src/toolchain/quantize/compile-to-ort.ts';
import { runnableSets } from '../engine/machine.ts';
import { modelPath } from '../golden/golden.ts';
import { readCount, readScriptOptions } from '../read-script-options.ts';
import { printComparison } from './against.ts';
import { printLayers } from './layers.ts';
import { median } from './median.ts';
import { noteComparison } from './pages/record.ts';
import { makeSeededResnet50Int8 } from './seeded-resnet50.ts';
import { createTfjsResnet } from './tfjs-resnet.ts';
import { toDynamicQ8 } from './to-dynamic-q8.ts';

interface Contestant {
  readonly name: string;
  run(): Promise<unknown>;
}

const usage = 'Usage: npm run bench:inference [-- --rounds 15] [--layers] [--against CHECKOUT]';
const values = readScriptOptions(usage, {
  rounds: { type: 'string', default: '15' },
  layers: { type: 'boolean', default: false },
  against: { type: 'string' },
});
const rounds = readCount(values.rounds, '--rounds');
const webInt8 = 'onnxruntime-web, public API, int8';
const shape = [1, 3, 224, 224] as const;
const input: Fp32Tensor = {
  datatype: 'FP32',
  shape,
  data: Float32Array.from({ length: 3 * 224 * 224 }, (_, index) => 2 * Math.sin(index * 0.37)),
};
const scratch = await mkdtemp(join(tmpdir(), 'bench-'));
env.wasm.numThreads = 1;

console.log(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}; ${rounds} rounds`);
if (values.layers || values.against) {
  for (const { name, bytes: onnx } of await readNetworks()) {
    const { plan, weights } = new GraphCompiler(parseModel(onnx).graph, shape[2]).compile();
    for (const set of runnableSets) {
      if (values.against) await printComparison(name, [values.against, projectRoot], onnx, shape[2], set);
      else await printLayers(name, plan, weights, set);
    }
  }
  await rm(scratch, { recursive: true });
  process.exit(0);
}
for (const { name, bytes } of await readNetworks()) {
  const [int8, fp32, ort] = ['int8.onnx', 'fp32.onnx', 'ort'].map((end) =>
    join(scratch, `${name}.${end}`),
  ) as [string, string, string];
  await writeFile(int8, bytes);
  await writeFile(fp32, toFp32(bytes));
  await compileToOrt(int8, ort);
  await bench(name, [
    await publicApi('onnxruntime-web, public API, fp32', fp32),
    ...(await peers(fp32)),
    await publicApi(webInt8, int8),
    await lean('resnet-edge, onnxruntime-web lean, int8', ort),
    ...(await engines(int8)),
    await native('onnxruntime-node, one thread, int8', int8),
  ]);
}

async function readNetworks(): Promise<{ readonly name: string; readonly bytes: Uint8Array }[]> {
  return [
    { name: 'ResNet-18', bytes: await readFile(modelPath) },
    { name: 'ResNet-50', bytes: await makeSeededResnet50Int8() },
  ];
}

async function publicApi(name: string, path: string): Promise<Contestant> {
  const session = await InferenceSession.create(new Uint8Array(await readFile(path)));
  const feeds = { data: new Tensor('float32', input.data, shape) };
  return { name, run: () => session.run(feeds) };
}

/** What others offer in WebAssembly. */
async function peers(fp32: string): Promise<Contestant[]> {
  const bytes = await readFile(fp32);
  const q8 = join(scratch, `${basename(fp32)}.q8.onnx`);
  await writeFile(q8, toDynamicQ8(bytes));
  const runTfjs = await createTfjsResnet(bytes);
  return [
    await publicApi('onnxruntime-web, public API, dynamic q8', q8),
    { name: 'tfjs-backend-wasm, fp32', run: () => runTfjs(input.data) },
  ];
}

async function lean(name: string, path: string): Promise<Contestant> {
  const session = await loadFile(await bootEdgeRuntime('onnxruntime-web'), path);
  return { name, run: () => session.run(input) };
}

/** On every kernel set that this CPU runs. */
async function engines(onnx: string): Promise<Contestant[]> {
  const path = join(scratch, `${basename(onnx)}.rni8`);
  await writeFile(path, compileEngineModel(await readFile(onnx), shape[2]).file);
  return await Promise.all(
    runnableSets.map(async (set) => {
      const session = await loadFile(await bootEngineNode(set), path);
      return { name: `resnet-edge, int8 engine, ${set}`, run: () => session.run(input) };
    }),
  );
}

async function native(name: string, path: string): Promise<Contestant> {
  const session = await createOrtNodeSession(path, { intraOpNumThreads: 1 });
  return { name, run: () => session.run(new Map([['data', input]])) };
}

async function bench(title: string, contestants: readonly Contestant[]): Promise<void> {
  const warmups = 4;
  const times = contestants.map((): number[] => []);
  const cpuTimes = contestants.map((): number[] => []);
  for (let round = 0; round < rounds + warmups; round++) {
    for (const [index, { run }] of contestants.entries()) {
      const start = performance.now();
      const cpu = process.cpuUsage();
      await run();
      const { user, system } = process.cpuUsage(cpu);
      if (round < warmups) continue;
      times[index]!.push(performance.now() - start);
      cpuTimes[index]!.push((user + system) / 1000);
    }
  }
  const own = contestants.filter(({ name }) => name.startsWith('resnet-edge, int8 engine'));
  await noteComparison({
    title,
    unit: 'ms',
    // What the Worker takes where the CPU has it.
    base: own.find(({ name }) => name.endsWith('relaxed'))?.name ?? own[0]!.name,
    rows: contestants.map(({ name }, index) => ({
      name,
      value: median(times[index]!),
      cpuMs: median(cpuTimes[index]!),
      isOurs: name.startsWith('resnet-edge'),
    })),
  });
  const base = median(times[0]!);
  const int8 = contestants.findIndex(({ name }) => name === webInt8);
  const other = int8 < 0 ? Number.NaN : median(times[int8]!);
  console.log(`\n${title.padEnd(40)} median ms   min ms   of the first  of web int8`);
  for (const [index, { name }] of contestants.entries()) {
    const middle = median(times[index]!);
    console.log(
      `${name.padEnd(40)}${middle.toFixed(1).padStart(10)}${Math.min(...times[index]!)
        .toFixed(1)
        .padStart(9)}${(middle / base).toFixed(3).padStart(15)}${(middle / other).toFixed(3).padStart(13)}`,
    );
  }
}
await rm(scratch, { recursive: true });
process.exit(0);
