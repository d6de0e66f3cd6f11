import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseLabels } from '../../../model/manifest.ts';
import { toPath } from '../../command-line/to-path.ts';
import { benchModel } from '../bench.ts';
import { defineModelCommand, oneOf, toCount } from '../define-model-command.ts';
import { createEvaluator, evaluate } from '../evaluate.ts';
import { listLabelledImages } from '../labelled-images.ts';
import { Progress } from '../progress.ts';
import { findModel } from '../workspace.ts';

export const evaluateModel = defineModelCommand({
  summary: 'top-1, top-5, calibration, agreement',
  synopsis: 'eval NAME DIR|FILE.csv [--engine ENGINE] [--against NAME] [--limit N]',
  notes: `DIR has a folder for each class (WordNet id, class index or label); FILE.csv has rows of path,class.

--engine ENGINE  edge (default) or onnxruntime-node
--against NAME   how often the two agree
--limit N        use the first N images`,
  options: {
    engine: { type: 'string', default: 'edge' },
    against: { type: 'string' },
    limit: { type: 'string' },
  },
  operands: { min: 2, max: 2 },
  async run(values, [name, source]) {
    const engine = oneOf(values.engine, ['edge', 'onnxruntime-node'] as const, '--engine');
    const limit = values.limit === undefined ? undefined : toCount(values.limit, '--limit');
    const model = await findModel(`${name}`);
    const labels = parseLabels(
      JSON.parse(await readFile(join(model.folder, model.manifest.labels.file), 'utf8')),
      model.manifest.output.classes,
    );
    const images = (await listLabelledImages(toPath(`${source}`), labels)).slice(0, limit);
    const against = values.against === undefined ? undefined : await openOther(values.against);
    const progress = new Progress('eval', images.length);
    const result = await evaluate(images, await createEvaluator(model, engine), against, (done) =>
      progress.update(done),
    );
    progress.end();
    return result;
  },
});

export const bench = defineModelCommand({
  summary: 'latency of the edge runtime and of onnxruntime-node, interleaved',
  synopsis: 'bench NAME [--rounds N]',
  notes: '--rounds N  measured rounds (default 15)',
  options: { rounds: { type: 'string', default: '15' } },
  operands: { min: 1, max: 1 },
  run: async ({ rounds }, [name]) => {
    const count = toCount(rounds, '--rounds');
    return await benchModel(await findModel(`${name}`), count);
  },
});

/** The model to agree with. It runs on onnxruntime-node if it has a file for that. */
async function openOther(reference: string) {
  const model = await findModel(reference);
  return await createEvaluator(model, model.manifest.files.onnx ? 'onnxruntime-node' : 'edge');
}
