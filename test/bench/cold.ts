/**
 * `npm run bench:cold [-- --samples 7] [--check]`: what a request costs that finds a fresh isolate.
 * `--check` fails where the first answer, less the fetch of the model, costs more than 3 warm ones.
 * Every sample is a workerd process of its own; warm answers come from the same process. The network
 * between an isolate and R2 is not in it: R2 is on this machine. ResNet-50 has seeded weights: see seeded-resnet50.ts.
 */
import { readFile, rm } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { compileModel } from '../../src/cli/models/compile-model.ts';
import { importModel } from '../../src/cli/models/import-model.ts';
import { findPreset, readSources } from '../../src/cli/models/sources.ts';
import { parseModel } from '../../src/toolchain/onnx/onnx-model.ts';
import setupBuild from '../build-edge.ts';
import { startEdge } from '../edge/edge-server.ts';
import { goldenPath } from '../golden/golden.ts';
import { readCount, readScriptOptions } from '../read-script-options.ts';
import { median } from './median.ts';
import { noteComparison } from './pages/record.ts';
import { makeSeededResnet50Int8 } from './seeded-resnet50.ts';

interface Extra {
  readonly name: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** First answer less the fetch, in warm answers. */
const maxRatio = 3;

const values = readScriptOptions('Usage: npm run bench:cold [-- --samples 7] [--check]', {
  samples: { type: 'string', default: '7' },
  check: { type: 'boolean', default: false },
});
const samples = readCount(values.samples, '--samples');
const photo = new Uint8Array(await readFile(goldenPath('cat.jpg')));

setupBuild();
console.log(
  `${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}; median of ${values.samples} fresh processes, ms`,
);
console.log('model                 boot  fetched  created  first answer  warm answer  ratio  less fetch');
await benchModel('resnet18-imagenet1k', undefined);
await benchModel('resnet50', await makeResnet50());

async function benchModel(name: string, extra: Extra | undefined): Promise<void> {
  const rows: number[][] = [];
  for (let sample = 0; sample < samples; sample++) rows.push(await takeSample(name, extra));
  const [boot, fetched, created, first, warm, ratio, lessFetch] = [0, 1, 2, 3, 4, 5, 6].map((column) =>
    median(rows.map((row) => row[column]!)),
  );
  const cells = [boot, fetched, created, first, warm].map((value, index) =>
    value!.toFixed(0).padStart([6, 9, 9, 14, 13][index]!),
  );
  console.log(
    `${name.padEnd(20)}${cells.join('')}${ratio!.toFixed(2).padStart(7)}${lessFetch!.toFixed(2).padStart(12)}`,
  );
  await noteComparison({
    title: name,
    unit: 'ms',
    base: 'a warm answer',
    rows: [
      { name: 'a warm answer', value: warm!, isOurs: true },
      { name: 'the first one', value: first!, isOurs: true },
      { name: 'the first one, less fetching the model', value: lessFetch! * warm!, isOurs: true },
    ],
  });
  if (values.check && lessFetch! > maxRatio) {
    console.error(`${name}: ${lessFetch!.toFixed(2)} is over the target of ${maxRatio}`);
    process.exitCode = 1;
  }
}

async function takeSample(name: string, extra: Extra | undefined): Promise<number[]> {
  const edge = await startEdge();
  try {
    for (const [key, bytes] of extra?.files ?? []) await edge.models.put(key, bytes);
    await edge.fetch('/v1/health/live'); // the process is up; its isolate has loaded no model
    const ask = async () => {
      const start = performance.now();
      const response = await edge.fetch(`/v1/classify?model=${name}`, { method: 'POST', body: photo });
      if (!response.ok) throw new Error(await response.text());
      await response.arrayBuffer();
      return performance.now() - start;
    };
    const first = await ask();
    const warm: number[] = [];
    for (let round = 0; round < 9; round++) warm.push(await ask());
    const load = edge.logs().find(({ event }) => event === 'model_loaded');
    if (!load) throw new Error('The Worker logged no load.');
    const times = [load['booted_ms'], load['fetched_ms'], load['created_ms']].map(Number);
    return [...times, first, median(warm), first / median(warm), (first - times[1]!) / median(warm)];
  } finally {
    await edge.stop();
  }
}

/** Made in the workspace as its owner would, and taken out of it again. */
async function makeResnet50(): Promise<Extra> {
  const preprocess = findPreset(await readSources(), 'torchvision-v1');
  const bytes = await makeSeededResnet50Int8();
  const draft = await importModel(
    { bytes, model: parseModel(bytes), hasExternalData: false },
    { name: 'resnet50', recipe: preprocess, source: 'seeded', licence: 'MIT' },
  );
  const { folder, manifest } = await compileModel(draft);
  const { version } = manifest;
  const files = new Map<string, Uint8Array>();
  for (const file of [manifest.edgeFile.file, manifest.labels.file, 'manifest.json'])
    files.set(`resnet50/${version}/${file}`, await readFile(join(folder, file)));
  await rm(folder, { recursive: true });
  const models = [
    { name: 'resnet18-imagenet1k', version: '3' },
    { name: 'resnet50', version },
  ];
  files.set('catalog.json', new TextEncoder().encode(JSON.stringify({ default_model: 'resnet50', models })));
  return { name: 'resnet50', files };
}
