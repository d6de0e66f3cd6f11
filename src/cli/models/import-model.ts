import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { modelNameSchema } from '../../model/manifest.ts';
import { type ImportedGraph, importGraph } from '../../toolchain/import/import-graph.ts';
import { inspectModel } from '../../toolchain/onnx/inspect-model.ts';
import { describeFile } from './describe-file.ts';
import { type LabelSource, labelsFile, writeLabels } from './labels.ts';
import { type PreprocessJson, type Recipe, type RecipeChanges, toPreprocess } from './preprocess-recipes.ts';
import { type OnnxFile, readOnnx } from './read-onnx.ts';
import { createVersion, type LocalModel, onnxFile, writeManifest } from './workspace.ts';

export interface ImportOptions {
  readonly name: string;
  readonly labels?: LabelSource | undefined;
  readonly recipe: Recipe;
  readonly changes?: RecipeChanges | undefined;
  /** The tensor with the scores, where the graph has several outputs. */
  readonly output?: string | undefined;
  /** Overrules what the graph's end says. */
  readonly scoring?: 'softmax' | 'sigmoid' | undefined;
  /** With `sigmoid`: an answer has the classes of at least this score. */
  readonly threshold?: number | undefined;
  readonly source: string;
  readonly licence: string;
  readonly description?: string | undefined;
  readonly accuracy?: readonly unknown[] | undefined;
}

/** A version in the workspace, and what was done to the graph, a sentence each. */
export interface ImportedModel extends LocalModel {
  readonly notes: readonly string[];
}

/**
 * Takes an ONNX classifier into the workspace as a new version: the graph, labels, a manifest.
 *
 * @param source path of the ONNX file, or the file as it was read.
 * @throws {UnsupportedGraphError} naming the node; nothing is left behind.
 */
export async function importModel(source: string | OnnxFile, options: ImportOptions): Promise<ImportedModel> {
  // The name becomes a folder: nothing may be written before it is known to be one.
  const name = modelNameSchema.safeParse(options.name);
  if (!name.success)
    throw new Error(`"${options.name}" cannot be a model's name: ${name.error.issues[0]?.message}.`);
  const { bytes, model, hasExternalData } = typeof source === 'string' ? await readOnnx(source) : source;
  const { recipe, changes = {} } = options;
  const imported = await importGraph(model, {
    side: changes.size ?? recipe.center_crop,
    output: options.output,
  });
  const preprocess = toPreprocessOf(imported, recipe, changes);
  const { folder, version } = await createVersion(options.name);
  try {
    const isAsItCame = imported.isUnchanged && !hasExternalData;
    await writeFile(join(folder, onnxFile), isAsItCame ? bytes : imported.bytes);
    await writeLabels(folder, options.labels ?? nameFeatures(imported), imported.output.classes);
    const { input, side, output } = imported;
    const json = {
      name: options.name,
      version,
      ...(options.description && { description: options.description }),
      files: { onnx: await describeFile(join(folder, onnxFile)) },
      labels: await describeFile(join(folder, labelsFile)),
      datatype: inspectModel(imported.model).datatype === 'INT8' ? 'int8' : 'fp32',
      input: { name: input, shape: [1, 3, side, side], datatype: 'FP32', layout: 'NCHW' },
      output: {
        name: output.name,
        kind: output.kind,
        ...toScoring(options.scoring ?? output.scoring, options.threshold),
        classes: output.classes,
      },
      preprocess,
      source: options.source,
      licence: options.licence,
      accuracy: options.accuracy ?? [],
      tier: 'node', // an .onnx file is for the Node tier; compiling decides about the edge
    };
    return { folder, manifest: await writeManifest(folder, json), json, notes: imported.notes };
  } catch (error) {
    await rm(folder, { recursive: true });
    throw error;
  }
}

/** Features have no labels. A manifest has one for each number that a graph gives. */
function nameFeatures({ endsInFeatures, output }: ImportedGraph): readonly string[] | undefined {
  return endsInFeatures ? Array.from({ length: output.classes }, (_, i) => `feature ${i}`) : undefined;
}

/** What a manifest leaves out is a softmax. */
function toScoring(scoring: 'softmax' | 'sigmoid', threshold: number | undefined) {
  if (scoring === 'softmax') return {};
  return { scoring, ...(threshold !== undefined && { threshold }) };
}

/** The recipe for this graph's size, with what the graph did to its pixels itself. */
function toPreprocessOf(
  { side, normalisation, turnsChannels }: ImportedGraph,
  recipe: Recipe,
  changes: RecipeChanges,
): PreprocessJson {
  if (changes.size !== undefined && changes.size !== side) {
    throw new Error(`The graph takes ${side} x ${side} pixels, and --size says ${changes.size}.`);
  }
  if (normalisation && (changes.mean || changes.std)) {
    throw new Error(
      `The graph normalises its pixels itself, with mean ${normalisation.mean.join(', ')} and std ${normalisation.std.join(', ')}: leave --mean and --std out.`,
    );
  }
  const preprocess = toPreprocess(recipe, { ...changes, size: side });
  if (normalisation) return { ...preprocess, ...normalisation };
  if (!turnsChannels) return preprocess;
  // The recipe's figures are for the order in which the graph took its channels.
  const turn = ([first, second, third]: readonly [number, number, number]) =>
    [third, second, first] as [number, number, number];
  return {
    ...preprocess,
    mean: turn(preprocess.mean),
    std: turn(preprocess.std),
    channel_order: preprocess.channel_order === 'bgr' ? 'rgb' : 'bgr',
  };
}
