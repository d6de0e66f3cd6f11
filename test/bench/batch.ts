import { readFile } from 'node:fs/promises';
import { createOrtNodeSession } from '../../src/inference/ort-node.ts';
import { chunkMediaType } from '../../src/tier-protocol/chunk-format.ts';
import { type BatchJson, collectResults, waitForEnd } from '../edge/batch-client.ts';
import { startEdge } from '../edge/edge-server.ts';
import { goldenPath, modelPath, photoFiles, readCropTensor } from '../golden/golden.ts';
import { startTier, type TierProcess } from '../node-tier/tier-process.ts';
import { median } from './median.ts';

/**
 * `npm run bench:batch [-- IMAGES]`: how much of onnxruntime-node's own speed the tier keeps, what decoding
 * adds, and IMAGES (default 10,000) small images through edge, queue, tier and results.
 */
const images = Number(process.argv[2] ?? 10_000);
const model = 'resnet18-imagenet1k';
const batch = 16;
const rounds = 7;
const perRound = 8 * batch;
const cat = await readFile(goldenPath(photoFiles.cat));
const crop = await readCropTensor(goldenPath('cat.crop.png'));

const tier = await startTier({
  TIER_PRELOAD: `${model} ${model}/1`,
  TIER_PREFERRED_BATCH_SIZES: String(batch),
});
try {
  await compareWithRuntime(tier);
  await measureWholePath(tier);
} finally {
  await tier.stop();
}

async function compareWithRuntime(tier: TierProcess): Promise<void> {
  const session = await createOrtNodeSession(modelPath);
  const data = new Float32Array(batch * crop.length);
  for (let row = 0; row < batch; row++) data.set(crop, row * crop.length);
  const feeds = new Map([['data', { datatype: 'FP32', shape: [batch, 3, 224, 224], data } as const]]);
  const [raw, tensors, files]: number[][] = [[], [], []];
  for (let round = 0; round <= rounds; round++) {
    // Interleaved, the first round not counted.
    const rates = [
      await rateOf(() => runRaw(session, feeds)),
      await rateOf(() => runTensors(tier, data)),
      await rateOf(() => runFiles(tier)),
    ];
    if (round === 0) continue;
    raw!.push(rates[0]!);
    tensors!.push(rates[1]! / rates[0]!);
    files!.push(rates[2]! / rates[0]!);
  }
  await session.close();
  console.log(`onnxruntime-node alone, batch ${batch}: ${median(raw!).toFixed(0)} images/s`);
  console.log(`tier, tensors over HTTP:        ${median(tensors!).toFixed(2)} of that`);
  console.log(
    `tier, JPEG files over HTTP:     ${median(files!).toFixed(2)} of that (decoding shares the cores)`,
  );
}

async function rateOf(run: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await run();
  return (perRound * 1000) / (performance.now() - started);
}

async function runRaw(
  session: Awaited<ReturnType<typeof createOrtNodeSession>>,
  feeds: Parameters<typeof session.run>[0],
): Promise<void> {
  for (let done = 0; done < perRound; done += batch) await session.run(feeds);
}

/** Two requests at once, so that one is on its way while the other is computed. */
async function runTensors(tier: TierProcess, data: Float32Array): Promise<void> {
  const parameters = { binary_data_size: data.byteLength };
  const head = Buffer.from(
    JSON.stringify({
      parameters: { binary_data_output: true },
      inputs: [{ name: 'data', shape: [batch, 3, 224, 224], datatype: 'FP32', parameters }],
    }),
  );
  const body = Buffer.concat([head, Buffer.from(data.buffer)]);
  let left = perRound / batch;
  const work = async () => {
    while (left-- > 0) {
      const response = await tier.fetch(`/v2/models/${model}/versions/1/infer`, {
        method: 'POST',
        headers: { 'inference-header-content-length': String(head.byteLength) },
        body,
      });
      if (!response.ok) throw new Error(await response.text());
      await response.arrayBuffer();
    }
  };
  await Promise.all([work(), work()]);
}

async function runFiles(tier: TierProcess): Promise<void> {
  const parts = [
    Buffer.from(`${JSON.stringify({ model, model_version: '1', top_k: 5, items: perRound })}\n`),
  ];
  for (let index = 0; index < perRound; index++) {
    parts.push(Buffer.from(`${JSON.stringify({ index, bytes: cat.byteLength })}\n`), cat);
  }
  const response = await tier.fetch('/v1/chunks', {
    method: 'POST',
    headers: { 'content-type': chunkMediaType },
    body: Buffer.concat(parts),
  });
  await response.text();
}

async function measureWholePath(tier: TierProcess): Promise<void> {
  const edge = await startEdge({ vars: { NODE_TIER_URL: tier.url, NODE_TIER_SECRET: tier.secret } });
  try {
    const small = (await readFile(new URL('../fixtures/images/comment.jpg', import.meta.url))).toString(
      'base64',
    );
    const line = `${JSON.stringify({ image: small })}\n`;
    const response = await edge.fetch('/v1/batches?top_k=1', {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: line.repeat(images),
      signal: AbortSignal.timeout(300_000),
    });
    const { id } = (await response.json()) as BatchJson;
    const started = performance.now();
    const ended = await waitForEnd(edge, id, undefined, 1_800_000);
    const seconds = (performance.now() - started) / 1000;
    const rows = await collectResults(edge, id);
    const inOrder = rows.every(({ index }, place) => index === place);
    console.log(
      `${images} images through edge, queue, tier, results: ${ended.status}, ${rows.length} results, ` +
        `${inOrder ? 'in order' : 'NOT IN ORDER'}, ${(images / seconds).toFixed(0)} images/s`,
    );
  } finally {
    await edge.stop();
  }
}
