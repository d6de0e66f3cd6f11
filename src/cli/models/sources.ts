import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sourcesFile } from '../assets.ts';
import { assetsDir } from '../paths.ts';
import {
  type PreprocessJson,
  type Recipe,
  type RecipeChanges,
  recipeSchema,
  toPreprocess,
} from './preprocess-recipes.ts';

const percent = z.number().min(0).max(100);

const sourcesSchema = z.strictObject({
  preprocess_presets: z.record(z.string(), recipeSchema),
  /** Names for `models add`: which model of the list, and the names of other APIs that it answers to. */
  additions: z
    .record(z.string(), z.strictObject({ model: z.string(), aliases: z.array(z.string()) }))
    .default({}),
  models: z.array(
    z.strictObject({
      name: z.string(),
      url: z.url(),
      bytes: z.int().positive(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      datatype: z.enum(['fp32', 'int8']),
      preprocess: z.string(),
      licence: z.string(),
      source: z.string(),
      published_accuracy: z.strictObject({ top1: percent, top5: percent.nullable() }),
      tier: z.enum(['edge', 'node']),
    }),
  ),
});

/** Models that can be pulled by name, and preprocessing recipes by the name of who exported a model. */
export type Sources = z.infer<typeof sourcesSchema>;

/** @param path another sources.json, for a private catalogue. */
export async function readSources(path: string = join(assetsDir, sourcesFile)): Promise<Sources> {
  return sourcesSchema.parse(JSON.parse(await readFile(path, 'utf8')));
}

/** @throws {Error} naming the presets that there are. */
export function findRecipe(sources: Sources, name: string): Recipe {
  const recipe = sources.preprocess_presets[name];
  if (recipe) return recipe;
  const known = Object.keys(sources.preprocess_presets).join(', ');
  throw new Error(`No preprocessing is named "${name}". Known: ${known}.`);
}

/** @returns the `preprocess` of a manifest, as JSON. */
export function findPreset(sources: Sources, name: string, changes: RecipeChanges = {}): PreprocessJson {
  return toPreprocess(findRecipe(sources, name), changes);
}
