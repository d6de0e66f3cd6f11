import { type ImportedModel, importModel } from './import-model.ts';
import { pullModel } from './pull.ts';
import { findPreset, type Sources } from './sources.ts';

type Source = Sources['models'][number];

/** @throws {Error} naming what the catalogue has. */
export function findSource({ models }: Sources, name: string): Source {
  const source = models.find((model) => model.name === name);
  if (source) return source;
  throw new Error(`The catalogue has no "${name}". It has: ${models.map((model) => model.name).join(', ')}.`);
}

/** Where a version says that it comes from. */
export const toOrigin = ({ source, url }: Source) => `${source}: ${url}`;

/**
 * Downloads a model of the catalogue, verifies it, and takes it into the workspace.
 *
 * @param name of the new version's model.
 * @param mirror where to download from instead.
 */
export async function pullAndImport(
  catalogue: Sources,
  source: Source,
  name: string,
  mirror: string | undefined,
): Promise<ImportedModel> {
  const path = await pullModel(source, mirror ?? process.env['RESNET_EDGE_MIRROR']);
  const { top1, top5 } = source.published_accuracy;
  return await importModel(path, {
    name,
    recipe: findPreset(catalogue, source.preprocess),
    source: toOrigin(source),
    licence: source.licence,
    description: `As published: top-1 ${top1} %, top-5 ${top5 ?? 'not given'} %.`,
  });
}
