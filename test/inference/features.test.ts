import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadFile } from '../../src/cli/models/node-runtime.ts';
import { bootEngineNode } from '../../src/inference/engine-node.ts';
import { createOrtNodeSession, type OrtNodeSession } from '../../src/inference/ort-node.ts';
import type { InferenceSession } from '../../src/inference/session.ts';
import { compileEngineModel } from '../../src/toolchain/engine-compiler/compile-engine-model.ts';
import { exposeBlockOutputs } from '../golden/block-outputs.ts';
import { findEngineFile, goldenNames, goldenPath, modelPath, readCropTensor } from '../golden/golden.ts';

const onnx = await readFile(modelPath);
const { plan } = compileEngineModel(onnx, 224);
const enginePath = await findEngineFile();
const sets = ['plain', 'relaxed'] as const;

describe.each(sets)('features of the default model, %s kernels', (kernels) => {
  let session: InferenceSession | undefined;
  let reference: OrtNodeSession;
  const { model, names } = exposeBlockOutputs(onnx);
  beforeAll(async () => {
    const runtime = await bootEngineNode(kernels).catch(() => undefined);
    session = runtime && (await loadFile(runtime, enginePath));
    reference = await createOrtNodeSession(model, { intraOpNumThreads: 1 });
  });

  it.for(goldenNames)(
    'are the very bits of the means of what onnxruntime-node gives for %s',
    async (name, context) => {
      if (!session) return context.skip('this CPU lacks the instructions');
      const data = await readCropTensor(goldenPath(`${name}.crop.png`));
      const input = { datatype: 'FP32', shape: [1, 3, 224, 224], data } as const;
      const { output, features } = await session.runWithFeatures!(input, 'all');
      expect(features.map(({ length }) => length)).toEqual([64, 64, 128, 128, 256, 256, 512, 512, 512]);
      expect(output).toEqual(await session.run(input));
      const outputs = await reference.run(new Map([[reference.inputNames[0]!, input]]));
      for (const [block, feature] of features.entries()) {
        const { data: activations, shape } = outputs.get(names[block]!)!;
        const { scale } = plan.features[block]!;
        const positions = shape[2]! * shape[3]!;
        const means = Float32Array.from(feature, (_, channel) => {
          const own = activations.subarray(channel * positions, (channel + 1) * positions);
          // Each is a whole number of steps, which float32 holds exactly.
          const steps = own.reduce((sum, value) => sum + Math.round(value / scale), 0);
          return (steps * scale) / positions;
        });
        expect(feature).toEqual(means);
      }
      expect((await session.runWithFeatures!(input, 'last')).features).toEqual([features.at(-1)]);
    },
  );
});
