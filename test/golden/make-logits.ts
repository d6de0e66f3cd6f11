/** `npm run goldens`: logits.json, by onnxruntime-node on the crops that Pillow made. */
import { writeFile } from 'node:fs/promises';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { readScriptOptions } from '../read-script-options.ts';
import { goldenNames, goldenPath, modelPath, readCropTensor } from './golden.ts';

readScriptOptions('Usage: npm run goldens', {});
const session = await InferenceSession.create(modelPath, {
  intraOpNumThreads: 1,
  // Without it the logits depend on the CPU: see src/inference/ort-node.ts.
  extra: { session: { x64quantprecision: '1' } },
});
const logits: Record<string, number[]> = {};
for (const name of goldenNames) {
  const input = await readCropTensor(goldenPath(`${name}.crop.png`));
  const output = await session.run({ data: new Tensor('float32', input, [1, 3, 224, 224]) });
  logits[name] = Array.from(output['logits']!.data as Float32Array, (value) => Math.round(value * 1e4) / 1e4);
}
await writeFile(goldenPath('logits.json'), `${JSON.stringify(logits)}\n`);
