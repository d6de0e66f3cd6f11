import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { PreprocessSpec } from '../../image/preprocess-spec.ts';
import type { OnnxModel } from '../../toolchain/onnx/onnx-graph.ts';
import { UsageError } from '../command-line/usage-error.ts';
import { oneOf, toCount } from './define-model-command.ts';
import type { ExportConfig } from './export-config.ts';
import type { Guess } from './guess-exporter.ts';
import type { Recipe, RecipeChanges } from './preprocess-recipes.ts';
import { findRecipe, type Sources } from './sources.ts';

/** @returns the graph of an export: the file itself, or the one ONNX file of a folder or of its folder `onnx`. */
export async function findOnnx(path: string): Promise<string> {
  if (!(await stat(path)).isDirectory()) return path;
  for (const folder of [path, join(path, 'onnx')]) {
    const files = (await readdir(folder).catch(() => [])).filter((file) => file.endsWith('.onnx'));
    const file = files.length === 1 ? files[0] : files.find((name) => name === 'model.onnx');
    if (file) return join(folder, file);
    if (files.length > 1) throw new Error(`${folder} has ${files.join(', ')}: name one of them.`);
  }
  throw new Error(`There is no .onnx file in ${path}.`);
}

/** Side of the image, where the graph fixes it; NCHW or NHWC. */
export function sideOf({ graph }: OnnxModel): number | undefined {
  const side = graph.inputs[0]?.shape?.[2];
  return typeof side === 'number' ? side : undefined;
}

/** @throws {UsageError} */
export function toChanges(values: {
  readonly size?: string | undefined;
  readonly resize?: string | undefined;
  readonly interpolation?: string | undefined;
  readonly mean?: string | undefined;
  readonly std?: string | undefined;
}): RecipeChanges {
  const { size, resize, interpolation, mean, std } = values;
  return {
    size: size === undefined ? undefined : toCount(size, '--size'),
    resize: resize === undefined || resize === 'stretch' ? resize : toCount(resize, '--resize'),
    interpolation:
      interpolation === undefined
        ? undefined
        : oneOf(interpolation, ['bilinear', 'bicubic'] as const, '--interpolation'),
    mean: mean === undefined ? undefined : toThree(mean, '--mean'),
    std: std === undefined ? undefined : toThree(std, '--std'),
  };
}

function toThree(value: string, option: string): readonly number[] {
  const numbers = value.split(/[,\s]+/).map(Number);
  const isDeviation = option === '--std';
  if (numbers.length === 3 && numbers.every((n) => Number.isFinite(n) && (!isDeviation || n > 0)))
    return numbers;
  throw new UsageError(`${option} must be three numbers${isDeviation ? ' above 0' : ''}, got "${value}".`);
}

/** @throws {UsageError} */
export function toShare(value: string, option: string): number {
  const share = Number(value);
  if (value.trim() !== '' && share >= 0 && share <= 1) return share;
  throw new UsageError(`${option} must be a number from 0 to 1, got "${value}".`);
}

/** What a person says goes before what lies beside the graph, and that before a guess. */
export function chooseRecipe(
  sources: Sources,
  preset: string | undefined,
  config: ExportConfig,
  guess: Guess,
): { readonly recipe: Recipe; readonly from: string } {
  if (preset !== undefined) return { recipe: findRecipe(sources, preset), from: preset };
  if (config.recipe && config.recipeSource) return { recipe: config.recipe, from: config.recipeSource };
  return { recipe: findRecipe(sources, guess.preset), from: `${guess.preset}, guessed: ${guess.reason}` };
}

/** The recipe in one line. */
export function describePreprocessing(spec: PreprocessSpec): string {
  const { resizeBy, resizeShortestEdge, centerCrop, interpolation, mean, std, channelOrder } = spec;
  const resize = resizeBy === 'stretch' ? 'stretched to' : 'shorter side to';
  const round = (values: readonly number[]) => values.map((value) => Number(value.toPrecision(4))).join(' ');
  return `${resize} ${resizeShortestEdge}, ${interpolation}, crop ${centerCrop}, mean ${round(mean)}, std ${round(std)}${channelOrder === 'bgr' ? ', BGR' : ''}`;
}
