import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kernelTraits } from '../../engine/kernel-layout.ts';
import { layOutMemory } from '../../engine/memory-layout.ts';
import { maxRuntimeBytes } from '../../limits.ts';
import { parseManifest, type RuntimeName } from '../../model/manifest.ts';
import { fitsIsolate } from '../../model/memory-budget.ts';
import { compileEngineModel } from '../../toolchain/engine-compiler/compile-engine-model.ts';
import { UnsupportedGraphError } from '../../toolchain/onnx/onnx-errors.ts';
import { compileToOrt } from '../../toolchain/quantize/compile-to-ort.ts';
import { describeFile } from './describe-file.ts';
import { measureRuntimeMemory } from './node-runtime.ts';
import { findModel, hasGraph, type LocalModel, onnxFile, writeManifest } from './workspace.ts';

const ortFile = 'model.ort';
const engineFile = 'model.rni8';

export interface CompiledModel extends LocalModel {
  /** Why the int8 engine does not run this graph. */
  readonly notForEngine?: string | undefined;
  /** Why no isolate runs it: the batch tier does. */
  readonly notForEdge?: string | undefined;
}

/** What compiling adds to a manifest. */
interface Compiled {
  readonly files?: Readonly<Record<string, unknown>>;
  readonly runtime_memory_bytes?: number;
  readonly notForEdge?: string;
}

/**
 * Makes the edge's file of a model in the workspace and decides its runtime and tier: the int8 engine
 * where it can run the graph, else onnxruntime-web where the model fits an isolate, else the batch tier.
 *
 * @param only forces one runtime.
 * @throws {UnsupportedGraphError} naming the node, if the int8 engine is forced and cannot run it.
 */
export async function compileModel(model: LocalModel, only?: RuntimeName): Promise<CompiledModel> {
  let notForEngine: string | undefined;
  if (only !== 'onnxruntime-web') {
    try {
      return await finish(model, await compileForEngine(model));
    } catch (error) {
      if (only || !(error instanceof UnsupportedGraphError)) throw error;
      notForEngine = error.message;
    }
  }
  return { ...(await finish(model, await compileForOrtWeb(model))), notForEngine };
}

async function finish({ folder, json: draft }: LocalModel, compiled: Compiled): Promise<CompiledModel> {
  const { runtime_memory_bytes: _, tier: __, files: ___, ...rest } = draft;
  const { notForEdge, files, ...memory } = compiled;
  const onnx = await describeFile(join(folder, onnxFile));
  const whole = { ...rest, ...memory, files: { onnx, ...files }, tier: 'edge' };
  if (files && fitsIsolate(parseManifest(whole))) {
    return { folder, manifest: await writeManifest(folder, whole), json: whole };
  }
  const json = { ...whole, tier: 'node' };
  const reason =
    notForEdge ?? `it needs more than the ${maxRuntimeBytes} bytes that an isolate has for models`;
  return { folder, manifest: await writeManifest(folder, json), json, notForEdge: reason };
}

async function compileForEngine(model: LocalModel): Promise<Compiled> {
  const { file, plan } = compileEngineModel(await readFile(join(model.folder, onnxFile)), sideOf(model));
  const target = join(model.folder, engineFile);
  await writeFile(target, file);
  // Taken from the kernel set that needs more memory. Which set runs is known on the CPU only.
  const memory = Math.max(...Object.values(kernelTraits).map((traits) => layOutMemory(plan, traits).end));
  return { files: { rni8: await describeFile(target) }, runtime_memory_bytes: memory };
}

/** What onnxruntime-web cannot run is left to the batch tier, which import has run it on. */
async function compileForOrtWeb(model: LocalModel): Promise<Compiled> {
  const target = join(model.folder, ortFile);
  try {
    await compileToOrt(join(model.folder, onnxFile), target);
    // Above this an isolate cannot hold it, and this process need not try.
    if ((await stat(target)).size >= maxRuntimeBytes) {
      await rm(target);
      return {};
    }
    const memory = await measureRuntimeMemory(target, sideOf(model));
    if (memory <= maxRuntimeBytes) {
      return { files: { ort: await describeFile(target) }, runtime_memory_bytes: memory };
    }
    await rm(target);
    return {};
  } catch (error) {
    await rm(target, { force: true });
    return { notForEdge: `onnxruntime-web does not run it: ${toReason(error)}` };
  }
}

function toReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause : error;
  return cause.message.split('\n')[0] ?? '';
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
