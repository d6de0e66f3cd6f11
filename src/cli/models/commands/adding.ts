import { rm } from 'node:fs/promises';
import { verifyModel } from '../../assets.ts';
import { toPath } from '../../command-line/to-path.ts';
import { compileModel } from '../compile-model.ts';
import { defineModelCommand } from '../define-model-command.ts';
import { promoteModel, pushModel } from '../publish.ts';
import { findSource, pullAndImport, toOrigin } from '../pull-and-import.ts';
import { readSources, type Sources } from '../sources.ts';
import { type LocalModel, listLocalModels } from '../workspace.ts';
import { publishNotes, publishOptions, withTarget } from './publishing.ts';

/** All there is to a model of the catalogue; each step that is done already is passed over. */
export const add = defineModelCommand({
  summary: 'all at once: download, verify, compile, publish, promote, point aliases',
  synopsis: 'add NAME [--mirror URL] [--default] [--local|--remote ...]',
  notes: `NAME            resnet50, or a model of the catalogue (models list --sources)
--mirror URL    where to download from (or the variable RESNET_EDGE_MIRROR)
--sources FILE  another catalogue than model-assets/sources.json
--default       let the service's default be this model
${publishNotes}

Run again, it goes on where it stopped.`,
  options: {
    ...publishOptions,
    mirror: { type: 'string' },
    sources: { type: 'string' },
    default: { type: 'boolean', default: false },
  },
  operands: { min: 1, max: 1 },
  async run(values, [operand]) {
    const name = `${operand}`;
    const catalogue = await readSources(values.sources && toPath(values.sources));
    const { model = name, aliases = [] } = catalogue.additions[name] ?? {};
    const source = findSource(catalogue, model);
    const made = (await findMade(name, source)) ?? (await make(catalogue, source, name, values.mirror));
    await verifyModel(made.folder, made.manifest);
    const { version, tier, runtime, runtimeMemoryBytes } = made.manifest;
    const written = await withTarget(values, async (target) => {
      const keys = await pushModel(made, target);
      await promoteModel(name, version, target, { asDefault: values.default, aliases });
      return keys.length;
    });
    return {
      name: `${name}/${version}`,
      source: source.name,
      tier,
      runtime,
      runtime_memory_bytes: runtimeMemoryBytes ?? null,
      written,
      promoted: true,
      aliases,
    };
  },
});

type Source = Sources['models'][number];

/** The version that an earlier run made and compiled. */
async function findMade(name: string, source: Source): Promise<LocalModel | undefined> {
  const models = await listLocalModels();
  return models.findLast(
    ({ manifest }) =>
      manifest.name === name &&
      manifest.source === toOrigin(source) &&
      (manifest.tier === 'edge' || manifest.runtimeMemoryBytes !== undefined),
  );
}

async function make(
  catalogue: Sources,
  source: Source,
  name: string,
  mirror: string | undefined,
): Promise<LocalModel> {
  const draft = await pullAndImport(catalogue, source, name, mirror);
  try {
    return await compileModel(draft);
  } catch (error) {
    await rm(draft.folder, { recursive: true });
    throw error;
  }
}
