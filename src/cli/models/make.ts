import { createHash } from 'node:crypto';
import { copyFile, readFile, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { maxRuntimeBytes } from '../../limits.ts';
import { inspectModel } from '../../onnx/inspect-model.ts';
import { compileToOrt } from '../../quantize/compile-to-ort.ts';
import { labelsFile, writeLabels } from './labels.ts';
import { measureRuntimeMemory } from './node-runtime.ts';
import { createVersion, findModel, type LocalModel, writeManifest } from './workspace.ts';

export const onnxFile = 'model.onnx';
export const ortFile = 'model.ort';

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
  const inspection = inspectModel(await readFile(path));
  const { input, output, classes, outputKind } = inspection;
  if (input.datatype !== 'FP32')
    throw new Error(`The input "${input.name}" is ${input.datatype}, only FP32 is served.`);
  if (classes === undefined) throw new Error('The number of classes cannot be told from the graph.');
  const crop = Number(options.preprocess['center_crop']);
  const [, channels, height, width] = input.shape ?? [];
  if ((channels ?? 3) !== 3) throw new Error(`The input has ${channels} channels; an image has 3.`);
  if ((height ?? crop) !== crop || (width ?? crop) !== crop) {
    throw new Error(
      `The graph takes ${height} x ${width} pixels, the preprocessing cuts ${crop} x ${crop}: choose another with --preprocess.`,
    );
  }
  const { folder, version } = await createVersion(options.name);
  await copyFile(path, join(folder, onnxFile));
  await writeLabels(folder, options.labels, classes);
  const json = {
    name: options.name,
    version,
    ...(options.description && { description: options.description }),
    model: await describeFile(join(folder, onnxFile)),
    labels: await describeFile(join(folder, labelsFile)),
    format: 'onnx',
    datatype: inspection.datatype === 'INT8' ? 'int8' : 'fp32',
    input: { name: input.name, shape: [1, 3, crop, crop], datatype: 'FP32', layout: 'NCHW' },
    output: { name: output.name, kind: outputKind, classes },
    preprocess: options.preprocess,
    source: options.source,
    licence: options.licence,
    accuracy: options.accuracy ?? [],
    tier: 'batch', // an .onnx file is for the Node tier; compiling decides about the edge
  };
  return { folder, manifest: await writeManifest(folder, json), json };
}

/**
 * Makes the edge's file of a model in the workspace: optimised by onnxruntime-node, measured in the
 * edge's own runtime, which decides the tier.
 */
export async function compileModel({ folder, json }: LocalModel): Promise<LocalModel> {
  const target = join(folder, ortFile);
  await compileToOrt(join(folder, onnxFile), target);
  const side = Number((json['preprocess'] as { center_crop: number }).center_crop);
  // Above this an isolate cannot hold it, and this process need not try.
  const memory =
    (await stat(target)).size < maxRuntimeBytes ? await measureRuntimeMemory(target, side) : undefined;
  const fits = memory !== undefined && memory <= maxRuntimeBytes;
  const next = {
    ...json,
    ...(fits ? { format: 'ort', model: await describeFile(target) } : {}),
    ...(fits && { runtime_memory_bytes: memory }),
    tier: fits ? 'edge' : 'batch',
  };
  if (!fits) await rm(target);
  return { folder, manifest: await writeManifest(folder, next), json: next };
}

/** @returns the model, if it is still in the making: what lies in model-assets is not changed. */
export async function findDraft(reference: string): Promise<LocalModel> {
  const model = await findModel(reference);
  const hasOnnx = await stat(join(model.folder, onnxFile)).then(
    () => true,
    () => false,
  );
  if (!hasOnnx)
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
