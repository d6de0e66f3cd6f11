import { createHash } from 'node:crypto';
import { copyFile, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { kernelTraits } from '../../engine/kernel-layout.ts';
import { layOutMemory } from '../../engine/memory-layout.ts';
import { maxRuntimeBytes } from '../../limits.ts';
import { modelNameSchema, type RuntimeName } from '../../model/manifest.ts';
import { compileEngineModel } from '../../toolchain/engine-compiler/compile-engine-model.ts';
import { inspectModel } from '../../toolchain/onnx/inspect-model.ts';
import { UnsupportedGraphError } from '../../toolchain/onnx/onnx-errors.ts';
import { compileToOrt } from '../../toolchain/quantize/compile-to-ort.ts';
import { labelsFile, writeLabels } from './labels.ts';
import { measureRuntimeMemory } from './node-runtime.ts';
import { createVersion, findModel, hasGraph, type LocalModel, onnxFile, writeManifest } from './workspace.ts';

export const ortFile = 'model.ort';
export const engineFile = 'model.rni8';

export interface ImportOptions {
  readonly name: string;
  /** A labels.json, a text file with a label a line, or undefined for ImageNet-1k. */
  readonly labels?: string | undefined;
  readonly preprocess: Readonly<Record<string, unknown>>;
  readonly source: string;
  readonly licence: string;
  readonly description?: string | undefined;
  readonly accuracy?: readonly unknown[] | undefined;
}

/** Takes an ONNX classifier into the workspace as a new version: the file, labels, a manifest. */
export async function importModel(path: string, options: ImportOptions): Promise<LocalModel> {
  // The name becomes a folder: nothing may be written before it is known to be one.
  const name = modelNameSchema.safeParse(options.name);
  if (!name.success)
    throw new Error(`"${options.name}" cannot be a model's name: ${name.error.issues[0]?.message}.`);
  const inspection = inspectModel(await readFile(path));
  const { input, output, classes, outputKind } = inspection;
  if (input.datatype !== 'FP32')
    throw new Error(`The input "${input.name}" is ${input.datatype}, only FP32 is served.`);
  if (classes === undefined) throw new Error('The number of classes cannot be told from the graph.');
  if (classes < 2) {
    throw new Error(
      'The graph gives one number for an image. A softmax over one score is 1.0 for every image: export the model with one output for each class.',
    );
  }
  const crop = Number(options.preprocess['center_crop']);
  const [, channels, height, width] = input.shape ?? [];
  if ((channels ?? 3) !== 3) throw new Error(`The input has ${channels} channels; an image has 3.`);
  if ((height ?? crop) !== crop || (width ?? crop) !== crop) {
    throw new Error(
      `The graph takes ${height} x ${width} pixels, the preprocessing cuts ${crop} x ${crop}: choose another with --preprocess.`,
    );
  }
  const { folder, version } = await createVersion(options.name);
  try {
    await copyFile(path, join(folder, onnxFile));
    await writeLabels(folder, options.labels, classes);
    const json = {
      name: options.name,
      version,
      ...(options.description && { description: options.description }),
      files: { onnx: await describeFile(join(folder, onnxFile)) },
      labels: await describeFile(join(folder, labelsFile)),
      datatype: inspection.datatype === 'INT8' ? 'int8' : 'fp32',
      input: { name: input.name, shape: [1, 3, crop, crop], datatype: 'FP32', layout: 'NCHW' },
      output: { name: output.name, kind: outputKind, classes },
      preprocess: options.preprocess,
      source: options.source,
      licence: options.licence,
      accuracy: options.accuracy ?? [],
      tier: 'node', // an .onnx file is for the Node tier; compiling decides about the edge
    };
    return { folder, manifest: await writeManifest(folder, json), json };
  } catch (error) {
    await rm(folder, { recursive: true });
    throw error;
  }
}

/**
 * Makes the edge's file of a model in the workspace and decides its runtime and tier: the int8 engine
 * where it can run the graph, else onnxruntime-web where the model fits an isolate, else the batch tier.
 *
 * @param only forces one runtime.
 * @throws {UnsupportedGraphError} naming the node, if the int8 engine is forced and cannot run it.
 */
export async function compileModel(model: LocalModel, only?: RuntimeName): Promise<CompiledModel> {
  const { runtime_memory_bytes: _, ...rest } = model.json;
  const base = {
    ...rest,
    tier: 'node',
    files: { onnx: await describeFile(join(model.folder, onnxFile)) },
  };
  let refusal: string | undefined;
  if (only !== 'onnxruntime-web') {
    try {
      return await finish(model, base, await compileForEngine(model));
    } catch (error) {
      if (only || !(error instanceof UnsupportedGraphError)) throw error;
      refusal = error.message;
    }
  }
  return { ...(await finish(model, base, await compileForOrtWeb(model))), refusal };
}

export interface CompiledModel extends LocalModel {
  /** Why the int8 engine does not run this graph. */
  readonly refusal?: string | undefined;
}

/** What compiling adds to a manifest. */
interface Compiled {
  readonly files?: Readonly<Record<string, unknown>>;
  readonly runtime_memory_bytes?: number;
  readonly tier?: 'edge' | 'node';
}

async function finish(
  { folder }: LocalModel,
  base: { readonly files: Readonly<Record<string, unknown>> },
  compiled: Compiled,
): Promise<CompiledModel> {
  const json = { ...base, ...compiled, files: { ...base.files, ...compiled.files } };
  return { folder, manifest: await writeManifest(folder, json), json };
}

async function compileForEngine(model: LocalModel): Promise<Compiled> {
  const side = sideOf(model);
  const { file, plan } = compileEngineModel(await readFile(join(model.folder, onnxFile)), side);
  const target = join(model.folder, engineFile);
  await writeFile(target, file);
  // Taken from the kernel set that needs more memory. Which set runs is known on the CPU only.
  const memory = Math.max(...Object.values(kernelTraits).map((traits) => layOutMemory(plan, traits).end));
  return {
    files: { rni8: await describeFile(target) },
    runtime_memory_bytes: memory,
    tier: memory <= maxRuntimeBytes ? 'edge' : 'node',
  };
}

async function compileForOrtWeb(model: LocalModel): Promise<Compiled> {
  const target = join(model.folder, ortFile);
  await compileToOrt(join(model.folder, onnxFile), target);
  // Above this an isolate cannot hold it, and this process need not try.
  const small = (await stat(target)).size < maxRuntimeBytes;
  const memory = small ? await measureRuntimeMemory(target, sideOf(model)) : undefined;
  if (memory === undefined || memory > maxRuntimeBytes) {
    await rm(target);
    return {};
  }
  return { files: { ort: await describeFile(target) }, runtime_memory_bytes: memory, tier: 'edge' };
}

function sideOf({ json }: LocalModel): number {
  return Number((json['preprocess'] as { center_crop: number }).center_crop);
}

/** @returns the model, if it is still in the making: what lies in model-assets is not changed. */
export async function findDraft(reference: string): Promise<LocalModel> {
  const model = await findModel(reference);
  if (!(await hasGraph(model)))
    throw new Error(`${reference} has no ${onnxFile} beside its manifest: import or pull it first.`);
  return model;
}

export async function describeFile(path: string): Promise<{ file: string; bytes: number; sha256: string }> {
  const bytes = await readFile(path);
  return {
    file: basename(path),
    bytes: bytes.byteLength,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}
