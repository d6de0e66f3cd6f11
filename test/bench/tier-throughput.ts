import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { availableParallelism } from 'node:os';
import { createOrtNodeSession, type OrtNodeSession } from '../../src/inference/ort-node.ts';
import { chunkMediaType } from '../../src/protocol/tier/chunk-format.ts';
import { goldenPath, modelPath, photoFiles, readCropTensor } from '../golden/golden.ts';
import { startTier, type TierProcess } from '../tier/server/tier-process.ts';
import { median } from './median.ts';
import { noteComparison } from './pages/record.ts';

const model = 'resnet18-imagenet1k';
const batch = 16;
const rounds = 7;
const batchesPerRound = 24;
const perRound = batchesPerRound * batch;
const crop = await readCropTensor(goldenPath('cat.crop.png'));
const cat = await readFile(goldenPath(photoFiles.cat));

/** What one round of one kind took, per image. */
interface Round {
  readonly ms: number;
  readonly cpuMs: { readonly generator: number; readonly tier: number };
  /** Of the round's time, how much each stage of the tier was at work. */
  readonly busy: Readonly<Record<'inference' | 'decode' | 'main thread', number>>;
}

/**
 * onnxruntime-node alone in this process, then the tier in its own on the same tensors, then on JPEG files, by
 * turns: same threads, same batch size.
 */
export async function measureTier(threads: number): Promise<void> {
  const decodeWorkers = availableParallelism();
  const tier = await startTier({
    TIER_PRELOAD: model,
    TIER_PREFERRED_BATCH_SIZES: String(batch),
    TIER_THREADS: String(threads),
    TIER_DECODE_WORKERS: String(decodeWorkers),
  });
  try {
    const session = await createOrtNodeSession(modelPath, { intraOpNumThreads: threads });
    const data = new Float32Array(batch * crop.length);
    for (let row = 0; row < batch; row++) data.set(crop, row * crop.length);
    const [raw, tensors, files]: [Round[], Round[], Round[]] = [[], [], []];
    for (let round = 0; round <= rounds; round++) {
      const measured = [
        await measure(tier, decodeWorkers, () => runRaw(session, data)),
        await measure(tier, decodeWorkers, () => runTensors(tier, data)),
        await measure(tier, decodeWorkers, () => runFiles(tier)),
      ] as const;
      if (round === 0) continue; // everything warms up
      for (const [kind, into] of [raw, tensors, files].entries()) into.push(measured[kind]!);
    }
    await session.close();
    await report(threads, raw, tensors, files);
  } finally {
    await tier.stop();
  }
}

async function report(
  threads: number,
  raw: readonly Round[],
  tensors: readonly Round[],
  files: readonly Round[],
): Promise<void> {
  const of = (rounds: readonly Round[], read: (round: Round) => number) => median(rounds.map(read));
  const alone = 1000 / of(raw, ({ ms }) => ms);
  const toSpeed = (kind: readonly Round[]) =>
    alone * median(kind.map(({ ms }, round) => raw[round]!.ms / ms));
  await noteComparison({
    title: `${threads} inference thread${threads === 1 ? '' : 's'}, batches of ${batch}`,
    unit: 'images/s',
    base: 'onnxruntime-node alone',
    rows: [
      { name: 'onnxruntime-node alone', value: alone, isOurs: false },
      { name: 'the tier, tensors over HTTP', value: toSpeed(tensors), isOurs: true },
      { name: 'the tier, JPEG files', value: toSpeed(files), isOurs: true },
    ],
  });
  console.log(
    `\n${threads} inference thread(s), batches of ${batch}, ${rounds} rounds of ${perRound} images`,
  );
  console.log(
    `onnxruntime-node alone:   ${(1000 / of(raw, ({ ms }) => ms)).toFixed(0)} images/s, ` +
      `CPU ${of(raw, ({ cpuMs }) => cpuMs.generator).toFixed(2)} ms an image`,
  );
  for (const [name, kind] of [
    ['tier, tensors over HTTP:  ', tensors],
    ['tier, JPEG files decoded: ', files],
  ] as const) {
    const ratio = median(kind.map(({ ms }, round) => raw[round]!.ms / ms));
    const stages = (['inference', 'decode', 'main thread'] as const)
      .map((stage) => [stage, of(kind, ({ busy }) => busy[stage])] as const)
      .sort(([, a], [, b]) => b - a);
    console.log(
      `${name}${ratio.toFixed(2)} of that, CPU ${of(kind, ({ cpuMs }) => cpuMs.tier).toFixed(2)} ms an image, ` +
        `its load's generator ${of(kind, ({ cpuMs }) => cpuMs.generator).toFixed(2)}; ` +
        `limited by ${stages[0]![0]} (busy: ${stages.map(([stage, share]) => `${stage} ${(share * 100).toFixed(0)} %`).join(', ')})`,
    );
  }
}

async function measure(tier: TierProcess, decodeWorkers: number, run: () => Promise<void>): Promise<Round> {
  const before = await readCounters(tier);
  const cpu = process.cpuUsage();
  const started = performance.now();
  await run();
  const ms = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  const after = await readCounters(tier);
  const grown = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  return {
    ms: ms / perRound,
    cpuMs: {
      generator: (user + system) / 1000 / perRound,
      tier: (grown('process_cpu_seconds_total') * 1000) / perRound,
    },
    busy: {
      inference: grown('nv_inference_compute_infer_duration_us') / 1000 / ms,
      decode: grown('nv_inference_compute_input_duration_us') / 1000 / ms / decodeWorkers,
      'main thread': (grown('resnet_edge_tier_main_thread_busy_seconds') * 1000) / ms,
    },
  };
}

/** Prometheus text by name, labels summed. */
async function readCounters(tier: TierProcess): Promise<Map<string, number>> {
  const counters = new Map<string, number>();
  for (const line of (await (await tier.fetch('/metrics')).text()).split('\n')) {
    const [, name, value] = /^(\w+)(?:\{.*\})? (\S+)$/.exec(line) ?? [];
    if (name) counters.set(name, (counters.get(name) ?? 0) + Number(value));
  }
  return counters;
}

async function runRaw(session: OrtNodeSession, data: Float32Array): Promise<void> {
  const feeds = new Map([['data', { datatype: 'FP32', shape: [batch, 3, 224, 224], data } as const]]);
  for (let done = 0; done < batchesPerRound; done++) await session.run(feeds);
}

/** Three requests at once: one is computed, one is ready, one is on its way. */
async function runTensors(tier: TierProcess, data: Float32Array): Promise<void> {
  const parameters = { binary_data_size: data.byteLength };
  const head = Buffer.from(
    JSON.stringify({
      parameters: { binary_data_output: true },
      inputs: [{ name: 'data', shape: [batch, 3, 224, 224], datatype: 'FP32', parameters }],
    }),
  );
  const body = Buffer.concat([head, Buffer.from(data.buffer)]);
  const headers = { 'inference-header-content-length': String(head.byteLength) };
  let left = batchesPerRound;
  const work = async () => {
    while (left-- > 0) await post(tier, `/v2/models/${model}/versions/3/infer`, headers, body);
  };
  await Promise.all([work(), work(), work()]);
}

const filesPerRequest = 128;

/** Two requests at once, so that there is no gap between them. */
async function runFiles(tier: TierProcess): Promise<void> {
  const head = { model, model_version: '3', top_k: 5, items: filesPerRequest };
  const parts = [Buffer.from(`${JSON.stringify(head)}\n`)];
  for (let index = 0; index < filesPerRequest; index++) {
    parts.push(Buffer.from(`${JSON.stringify({ index, bytes: cat.byteLength })}\n`), cat);
  }
  const body = Buffer.concat(parts);
  let left = perRound / filesPerRequest;
  const work = async () => {
    while (left-- > 0) await post(tier, '/v1/chunks', { 'content-type': chunkMediaType }, body);
  };
  await Promise.all([work(), work()]);
}

const agent = new Agent({ keepAlive: true });

/** node:http sends a buffer as it is; `fetch` copies it, at the expense of the tier, whose cores it shares. */
function post(
  { url, secret }: TierProcess,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(path, url),
      {
        method: 'POST',
        agent,
        timeout: 60_000,
        headers: { authorization: `Bearer ${secret}`, 'content-length': body.byteLength, ...headers },
      },
      (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`${path} answered ${answer.statusCode}`));
        answer.on('error', reject).on('end', resolve).resume();
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${path} took too long`))).on('error', reject);
    outgoing.end(body);
  });
}
