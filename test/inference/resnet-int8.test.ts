import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { bootEdgeRuntime, loadFile } from '../../src/cli/models/node-runtime.ts';
import { bootEngineNode } from '../../src/inference/engine-node.ts';
import { createOrtNodeSession, type OrtNodeSession } from '../../src/inference/ort-node.ts';
import type { InferenceRuntime, InferenceSession } from '../../src/inference/session.ts';
import { compileEngineModel } from '../../src/toolchain/engine-compiler/compile-engine-model.ts';
import { makeSeededResnet50Int8 } from '../bench/seeded-resnet50.ts';
import {
  assetPath,
  defaultKey,
  findEngineFile,
  goldenNames,
  goldenPath,
  hasShared,
  modelPath,
  readCropTensor,
  readGoldenLogits,
  readSharedGoldens,
  sharedPath,
} from '../golden/golden.ts';

const enginePath = await findEngineFile();
const toInput = async (crop: string) =>
  ({ datatype: 'FP32', shape: [1, 3, 224, 224], data: await readCropTensor(crop) }) as const;

async function runBoth(session: InferenceSession, reference: OrtNodeSession, crop: string) {
  const input = await toInput(crop);
  const { data } = await session.run(input);
  const outputs = await reference.run(new Map([[reference.inputNames[0]!, input]]));
  return { engine: data, node: outputs.get(reference.outputNames[0]!)!.data };
}

const MB = 1e6;
/**
 * The kernel sets that this machine runs, and what each may take of the memory of an isolate. The
 * relaxed set needs AVX-VNNI; where it is missing its tests are skipped, visibly.
 */
const hasRelaxed = await bootEngineNode('relaxed').then(
  () => true,
  () => false,
);
const sets = [
  { kernels: 'plain', skip: false, defaultBytes: 21 * MB, resnet50Bytes: 32 * MB },
  { kernels: 'relaxed', skip: !hasRelaxed, defaultBytes: 20 * MB, resnet50Bytes: 30 * MB },
] as const;

it('takes no more memory than the manifest has asked the budget for', async () => {
  const runtime = await bootEngineNode('plain');
  const manifest = JSON.parse(await readFile(assetPath(defaultKey('manifest.json')), 'utf8'));
  const needed = manifest.runtime_memory_bytes;
  (await loadFile(runtime, enginePath, needed)).release();
  await expect(loadFile(runtime, enginePath, needed / 2)).rejects.toMatchObject({
    code: 'model_manifest_invalid',
  });
  expect(runtime.memoryBytes()).toBe(0);
});

describe.each(sets)(
  'the int8 engine on the default model, $kernels kernels',
  ({ kernels, skip, defaultBytes }) => {
    if (skip) {
      it.skip('needs AVX-VNNI', () => undefined);
      return;
    }
    let runtime: InferenceRuntime;
    let session: InferenceSession;
    let reference: OrtNodeSession;
    beforeAll(async () => {
      runtime = await bootEngineNode(kernels);
      session = await loadFile(runtime, enginePath);
      reference = await createOrtNodeSession(modelPath, { intraOpNumThreads: 1 });
    });

    it.each(goldenNames)('gives the very bits of onnxruntime-node for %s', async (name) => {
      const { engine, node } = await runBoth(session, reference, goldenPath(`${name}.crop.png`));
      expect(engine).toEqual(node);
      const golden = (await readGoldenLogits())[name];
      expect(Math.max(...golden.map((value, index) => Math.abs(value - engine[index]!)))).toBeLessThan(0.02);
    });

    it.skipIf(!hasShared)('gives the very bits of onnxruntime-node on all 40 shared crops', async () => {
      for (const { crop } of await readSharedGoldens()) {
        const { engine, node } = await runBoth(session, reference, sharedPath(`golden/${crop}`));
        expect(engine, crop).toEqual(node);
      }
    });

    it('answers the same again, whatever ran before', async () => {
      const first = (await session.run(await toInput(goldenPath('cat.crop.png')))).data;
      await session.run(await toInput(goldenPath('rocket.crop.png')));
      expect((await session.run(await toInput(goldenPath('cat.crop.png')))).data).toEqual(first);
    });

    it(`takes at most ${defaultBytes / MB} MB, and gives it back`, async () => {
      expect(runtime.kernels).toBe(kernels);
      expect(runtime.memoryBytes()).toBeLessThanOrEqual(defaultBytes);
      const before = runtime.memoryBytes();
      (await loadFile(runtime, enginePath)).release();
      expect(runtime.memoryBytes()).toBe(before);
    });

    it('refuses an input of another shape, naming it', async () => {
      const wrong = { datatype: 'FP32', shape: [1, 3, 10, 10], data: new Float32Array(300) } as const;
      await expect(session.run(wrong)).rejects.toMatchObject({ code: 'inference_failed' });
    });
  },
);

describe('loading a file of the engine', () => {
  const load = async (bytes: Uint8Array, chunk = 65_521) => {
    async function* chunks() {
      for (let offset = 0; offset < bytes.length; offset += chunk)
        yield bytes.subarray(offset, offset + chunk);
    }
    const runtime = await bootEdgeRuntime('resnet-int8');
    try {
      return await runtime.createSession(chunks(), { fileBytes: bytes.length }, { abandoned: false });
    } finally {
      // What a refused file took is given back.
      if (bytes.length !== file.length) expect(runtime.memoryBytes()).toBe(0);
    }
  };
  let file: Uint8Array;
  beforeAll(async () => {
    file = new Uint8Array(await readFile(enginePath));
  });

  it.each([1_000_003, 4096 * 3 + 1])('does not care how the stream is cut: %i bytes', async (chunk) => {
    const session = await load(file, chunk);
    const { data } = await session.run(await toInput(goldenPath('cat.crop.png')));
    expect(data.indexOf(Math.max(...data))).toBe(285);
  });
  it.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['short', (bytes) => bytes.subarray(0, bytes.length - 64)],
    ['empty', () => new Uint8Array(0)],
    ['of another kind', (bytes) => new Uint8Array(bytes.length - 1)],
    ['cut within the plan', (bytes) => bytes.subarray(0, 1000)],
  ])('refuses a file that is %s', async (_, damage) => {
    await expect(load(damage(file))).rejects.toMatchObject({ code: 'model_corrupt' });
  });
  it('refuses a format of another version', async () => {
    const copy = file.slice(0, 5000);
    copy[4] = 99;
    await expect(load(copy)).rejects.toThrow('format 99');
  });
});

/** The real topology with seeded weights everywhere; a network that has learned, where there is one. */
const resnets50: readonly { weights: string; read: () => Promise<Uint8Array>; skip: boolean }[] = [
  { weights: 'seeded', read: makeSeededResnet50Int8, skip: false },
  {
    weights: 'of a trained one',
    read: async () => new Uint8Array(await readFile(sharedPath('models/resnet50-reference-int8.onnx'))),
    skip: !hasShared,
  },
];

describe.each(resnets50)('the int8 engine on a ResNet-50, weights $weights', ({ read, skip: isMissing }) => {
  let onnx: Uint8Array;
  let crops: readonly string[];
  beforeAll(async () => {
    if (isMissing) return;
    onnx = await read();
    crops = hasShared
      ? (await readSharedGoldens()).slice(0, 20).map(({ crop }) => sharedPath(`golden/${crop}`))
      : goldenNames.map((name) => goldenPath(`${name}.crop.png`));
  }, 120_000);
  it.for(sets)(
    'gives the very bits of onnxruntime-node within its memory, $kernels kernels',
    async ({ kernels, skip, resnet50Bytes }, ctx) => {
      ctx.skip(isMissing, 'RESNET_EDGE_SHARED does not name the folder that has it');
      ctx.skip(skip, 'needs AVX-VNNI');
      const { file } = compileEngineModel(onnx, 224);
      const runtime = await bootEngineNode(kernels);
      async function* whole() {
        yield file;
      }
      const session = await runtime.createSession(whole(), { fileBytes: file.length }, { abandoned: false });
      expect(runtime.memoryBytes()).toBeLessThanOrEqual(resnet50Bytes);
      const reference = await createOrtNodeSession(onnx, { intraOpNumThreads: 1 });
      for (const crop of crops) {
        const { engine, node } = await runBoth(session, reference, crop);
        expect(engine, crop).toEqual(node);
      }
    },
  );
});
