import { verifyModel } from '../../assets.ts';
import { toPath } from '../../command-line/to-path.ts';
import { defineModelCommand } from '../define-model-command.ts';
import { readSources } from '../sources.ts';
import { findModel, listLocalModels } from '../workspace.ts';

export const list = defineModelCommand({
  summary: 'what can be pulled, and what is on this machine',
  synopsis: 'list [--sources FILE]',
  notes: '--sources FILE  another catalogue than model-assets/sources.json',
  options: { sources: { type: 'string' } },
  operands: { min: 0, max: 0 },
  async run({ sources: path }) {
    const sources = await readSources(path && toPath(path));
    const local = await listLocalModels();
    return [
      ...local.map(({ manifest }) => ({
        name: `${manifest.name}/${manifest.version}`,
        where: 'this machine',
        datatype: manifest.datatype,
        megabytes: manifest.edgeFile.bytes / 1e6,
        tier: manifest.tier,
        top1: manifest.accuracy[0] ? manifest.accuracy[0].top1 * 100 : null,
      })),
      ...sources.models.map((model) => ({
        name: model.name,
        where: 'catalogue',
        datatype: model.datatype,
        megabytes: model.bytes / 1e6,
        tier: model.tier,
        top1: model.published_accuracy.top1,
      })),
    ];
  },
});

export const verify = defineModelCommand({
  summary: 'check sizes and SHA-256',
  synopsis: 'verify [NAME]',
  notes: 'Without NAME every model on this machine.',
  options: {},
  operands: { min: 0, max: 1 },
  async run(_, [name]) {
    const found = name === undefined ? await listLocalModels() : [await findModel(name)];
    for (const model of found) await verifyModel(model.folder, model.manifest);
    return found.map(({ manifest }) => ({ name: `${manifest.name}/${manifest.version}`, verified: true }));
  },
});
