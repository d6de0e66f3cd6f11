import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { beforeAll, describe, expect, it } from 'vitest';
import { createOrtNodeSession } from '../../src/inference/ort-node.ts';
import { bootOrtWeb } from '../../src/inference/ort-web.ts';
import type { InferenceRuntime, InferenceSession } from '../../src/inference/session.ts';
import { makeOrtVersion } from '../golden/default-versions.ts';
import {
  goldenNames,
  goldenPath,
  hasShared,
  modelPath,
  readCropTensor,
  readGoldenLogits,
  readSharedGoldens,
  sharedPath,
} from '../golden/golden.ts';

const wasmPath = createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm');
const model = (await makeOrtVersion()).get('resnet18-imagenet1k/1/model.ort')!;

async function* inChunks(bytes: Uint8Array, size = 1 << 20): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}

const boot = async () => bootOrtWeb(await WebAssembly.compile(await readFile(wasmPath)));
const load = (runtime: InferenceRuntime) =>
  runtime.createSession(inChunks(model), { fileBytes: model.length }, { abandoned: false });

async function runCrop(session: InferenceSession, path: string): Promise<Float32Array> {
  const data = await readCropTensor(path);
  return (await session.run({ datatype: 'FP32', shape: [1, 3, 224, 224], data })).data;
}

const argMax = (values: ArrayLike<number>) => Array.from(values).indexOf(Math.max(...Array.from(values)));

describe('onnxruntime-web against onnxruntime-node', () => {
  let runtime: InferenceRuntime;
  let session: InferenceSession;
  beforeAll(async () => {
    runtime = await boot();
    session = await load(runtime);
  });

  it.each(goldenNames)('gives the logits of onnxruntime-node for %s within 0.02', async (name) => {
    const golden = (await readGoldenLogits())[name];
    const logits = await runCrop(session, goldenPath(`${name}.crop.png`));
    expect(logits).toHaveLength(1000);
    const worst = Math.max(...golden.map((value, index) => Math.abs(value - logits[index]!)));
    expect(worst).toBeLessThan(0.02);
    expect(argMax(logits)).toBe(argMax(golden));
  });

  it.skipIf(!hasShared)(
    'gives the logits of onnxruntime-node on all 40 shared crops within 0.02',
    async () => {
      const node = await createOrtNodeSession(modelPath, { intraOpNumThreads: 1 });
      for (const { crop } of await readSharedGoldens()) {
        const logits = await runCrop(session, sharedPath(`golden/${crop}`));
        const data = await readCropTensor(sharedPath(`golden/${crop}`));
        const feeds = new Map([['data', { datatype: 'FP32', shape: [1, 3, 224, 224], data } as const]]);
        const expected = (await node.run(feeds)).get('logits')!.data;
        expect(argMax(logits), crop).toBe(argMax(expected));
        expect(
          Math.max(...expected.map((value, index) => Math.abs(value - logits[index]!))),
          crop,
        ).toBeLessThan(0.02);
      }
      await node.close();
    },
  );

  it('answers runs that are started together as if they came one by one', async () => {
    const golden = await readGoldenLogits();
    const answers = await Promise.all(
      [...goldenNames, ...goldenNames].map(async (name) => ({
        name,
        logits: await runCrop(session, goldenPath(`${name}.crop.png`)),
      })),
    );
    for (const { name, logits } of answers) expect(argMax(logits)).toBe(argMax(golden[name]));
  });

  it('refuses an input of another shape, and runs the next one', async () => {
    const wrong = { datatype: 'FP32', shape: [1, 3, 10, 10], data: new Float32Array(300) } as const;
    await expect(session.run(wrong)).rejects.toMatchObject({ code: 'inference_failed' });
    expect(argMax(await runCrop(session, goldenPath('cat.crop.png')))).toBe(285);
  });

  it('keeps the heap within 40 MB, also after many runs', async () => {
    for (let run = 0; run < 5; run++) await runCrop(session, goldenPath('cat.crop.png'));
    expect(runtime.memoryBytes()).toBeLessThanOrEqual(40_000_000);
  });
});

describe('loading', () => {
  it('gives the memory back: 20 loads and releases do not grow the heap', async () => {
    const runtime = await boot();
    const first = await load(runtime);
    await runCrop(first, goldenPath('cat.crop.png'));
    first.release();
    const after = runtime.memoryBytes();
    for (let cycle = 0; cycle < 20; cycle++) {
      const session = await load(runtime);
      if (cycle === 19) expect(argMax(await runCrop(session, goldenPath('cat.crop.png')))).toBe(285);
      session.release();
    }
    expect(runtime.memoryBytes()).toBe(after);
  });

  it('refuses a short file, a long file and garbage with a code, and frees what they took', async () => {
    const runtime = await boot();
    const ticket = { abandoned: false };
    await load(runtime).then((session) => session.release());
    const before = runtime.memoryBytes();
    for (let cycle = 0; cycle < 5; cycle++) {
      await expect(
        runtime.createSession(inChunks(model.subarray(0, 1000)), { fileBytes: model.length }, ticket),
      ).rejects.toMatchObject({ code: 'model_corrupt' });
      await expect(runtime.createSession(inChunks(model), { fileBytes: 1000 }, ticket)).rejects.toMatchObject(
        {
          code: 'model_corrupt',
        },
      );
      await expect(
        runtime.createSession(inChunks(new Uint8Array(1 << 20)), { fileBytes: 1 << 20 }, ticket),
      ).rejects.toMatchObject({ code: 'model_corrupt' });
    }
    expect(runtime.memoryBytes()).toBe(before);
  });

  it('stops when the load is abandoned', async () => {
    const runtime = await boot();
    const ticket = { abandoned: false };
    async function* slow() {
      yield model.subarray(0, 1000);
      ticket.abandoned = true;
      yield model.subarray(1000, 2000);
    }
    await expect(runtime.createSession(slow(), { fileBytes: model.length }, ticket)).rejects.toMatchObject({
      code: 'model_unavailable',
    });
  });
});
