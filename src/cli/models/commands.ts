import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseLabels, runtimeNames } from '../../model/manifest.ts';
import { quantizeModel } from '../../toolchain/quantize/quantize-model.ts';
import { verifyModel } from '../assets.ts';
import { benchModel } from './bench.ts';
import { readCalibrationImages } from './calibration-images.ts';
import { limit, oneOf, parseCommandLine, required, toPath, type Values } from './command-line.ts';
import { createEvaluator, type Engine, evaluate } from './evaluate.ts';
import { listImages, listLabelledImages } from './labelled-images.ts';
import { type CompiledModel, compileModel, findDraft, importModel } from './make.ts';
import { Progress } from './progress.ts';
import { openLocalTarget, openRemoteTarget, promoteModel, pushModel } from './publish.ts';
import { pullModel } from './pull.ts';
import { findPreset, readSources } from './sources.ts';
import { toText } from './to-text.ts';
import { toUsage } from './usage.ts';
import { findModel, hasGraph, listLocalModels, onnxFile } from './workspace.ts';

/** @throws {Error} whose message is for the person at the terminal. */
export async function runCommand(args: string[]): Promise<void> {
  const { values, positionals } = parseCommandLine(args);
  const [command, ...operands] = positionals;
  if (values.help) {
    console.log(toUsage(command));
    return;
  }
  const run = command !== undefined && Object.hasOwn(commands, command) ? commands[command] : undefined;
  if (!run) {
    throw new Error(`${toUsage()}\n\n${command ? `There is no command "${command}".` : 'Name a command.'}`);
  }
  const result = await run(operands, values);
  if (values.json) console.log(JSON.stringify(result));
  else console.log(toText(result));
}

const commands: Readonly<Record<string, (operands: string[], values: Values) => Promise<unknown>>> = {
  async list(_, values) {
    const sources = await readSources(values.sources && toPath(values.sources));
    const local = await listLocalModels();
    return [
      ...local.map(({ manifest }) => ({
        name: `${manifest.name}/${manifest.version}`,
        where: 'this machine',
        datatype: manifest.datatype,
        megabytes: manifest.model.bytes / 1e6,
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

  async pull([name], values) {
    const sources = await readSources(values.sources && toPath(values.sources));
    const source = sources.models.find((model) => model.name === required(name, 'NAME'));
    if (!source)
      throw new Error(
        `The catalogue has no "${name}". It has: ${sources.models.map((model) => model.name).join(', ')}.`,
      );
    const path = await pullModel(source, values.mirror ?? process.env['RESNET_EDGE_MIRROR']);
    const draft = await importModel(path, {
      name: source.name,
      preprocess: findPreset(sources, source.preprocess),
      source: `${source.source}: ${source.url}`,
      licence: source.licence,
      description: `As published: top-1 ${source.published_accuracy.top1} %, top-5 ${source.published_accuracy.top5 ?? 'not given'} %.`,
    });
    return summarise(values['no-compile'] ? draft : await compileModel(draft));
  },

  async import([file], values) {
    const sources = await readSources(values.sources && toPath(values.sources));
    const draft = await importModel(toPath(required(file, 'FILE.onnx')), {
      name: required(values.name, '--name NAME'),
      labels: values.labels && toPath(values.labels),
      preprocess: findPreset(sources, values.preprocess),
      source: values.source ?? `imported from ${file}`,
      licence: values.licence,
    });
    return summarise(values['no-compile'] ? draft : await compileModel(draft));
  },

  async quantize([name], values) {
    const source = await findDraft(required(name, 'NAME'));
    const images = limit(await listImages(toPath(required(values.calibration, '--calibration DIR'))), values);
    const progress = new Progress('calibrate', images.length);
    const skipped: string[] = [];
    const { model, report } = await quantizeModel(await readFile(join(source.folder, onnxFile)), {
      calibration: readCalibrationImages(images, source.manifest.preprocess, (path) => skipped.push(path)),
      method: oneOf(values.method, ['percentile', 'minmax', 'mse'] as const, '--method'),
      ...(values.percentile !== undefined && { percentile: Number(values.percentile) }),
      onProgress: (step) => step.stage === 'calibrate' && progress.update(step.images),
    });
    progress.end();
    const scratch = join(source.folder, 'quantized.onnx');
    await writeFile(scratch, model);
    const draft = await importModel(scratch, {
      name: source.manifest.name,
      labels: join(source.folder, source.manifest.labels.file),
      preprocess: source.json['preprocess'] as Record<string, unknown>,
      source: `${source.manifest.source}; int8 by models quantize from version ${source.manifest.version}`,
      licence: source.manifest.licence,
    });
    await rm(scratch);
    const compiled = await compileModel(draft);
    const { calibrationImages, method, percentile, notes } = report;
    return {
      ...summarise(compiled),
      calibration_images: calibrationImages,
      method,
      percentile,
      notes,
      skipped,
    };
  },

  async compile([name], values) {
    const only = values.runtime === undefined ? undefined : oneOf(values.runtime, runtimeNames, '--runtime');
    return summarise(await compileModel(await findDraft(required(name, 'NAME')), only));
  },

  async verify([name]) {
    const models = name === undefined ? await listLocalModels() : [await findModel(name)];
    for (const model of models) await verifyModel(model.folder, model.manifest);
    return models.map(({ manifest }) => ({ name: `${manifest.name}/${manifest.version}`, verified: true }));
  },

  async push([name], values) {
    const model = await findModel(required(name, 'NAME'));
    await verifyModel(model.folder, model.manifest);
    const target = await openTarget(values);
    try {
      const written = await pushModel(model, target);
      const { name: modelName, version } = model.manifest;
      const promoted = await promoteIfFirst(modelName, version, target);
      return { name: `${modelName}/${version}`, written: written.length, promoted };
    } finally {
      await target.close();
    }
  },

  async promote([name, version], values) {
    const target = await openTarget(values);
    try {
      await promoteModel(required(name, 'NAME'), required(version, 'VERSION'), target, {
        asDefault: values.default,
      });
      return { name: `${name}/${version}`, promoted: true };
    } finally {
      await target.close();
    }
  },

  async eval([name, source], values) {
    const model = await findModel(required(name, 'NAME'));
    const labels = parseLabels(
      JSON.parse(await readFile(join(model.folder, model.manifest.labels.file), 'utf8')),
      model.manifest.output.classes,
    );
    const images = limit(
      await listLabelledImages(toPath(required(source, 'DIR or FILE.csv')), labels),
      values,
    );
    const engine: Engine = oneOf(values.engine, ['edge', 'onnxruntime-node'] as const, '--engine');
    const against = values.against === undefined ? undefined : await openOther(values.against);
    const progress = new Progress('eval', images.length);
    const result = await evaluate(images, await createEvaluator(model, engine), against, (done) =>
      progress.update(done),
    );
    progress.end();
    return result;
  },

  async bench([name], values) {
    return await benchModel(await findModel(required(name, 'NAME')), Number(values.rounds));
  },
};

/** The model to agree with: on onnxruntime-node, unless there is nothing of it that this could run. */
async function openOther(reference: string) {
  const model = await findModel(reference);
  const graph = model.manifest.format !== 'rni8' || (await hasGraph(model));
  return await createEvaluator(model, graph ? 'onnxruntime-node' : 'edge');
}

async function promoteIfFirst(name: string, version: string, target: Awaited<ReturnType<typeof openTarget>>) {
  const stored = await target.read('catalog.json');
  const known =
    stored &&
    JSON.parse(Buffer.from(stored).toString()).models.some((model: { name: string }) => model.name === name);
  if (known) return false;
  await promoteModel(name, version, target);
  return true;
}

async function openTarget(values: Values) {
  if (values.local && values.remote) throw new Error('Choose --local or --remote.');
  return values.remote ? await openRemoteTarget(values['kv-namespace-id']) : await openLocalTarget();
}

function summarise({ folder, manifest, refusal }: CompiledModel) {
  return {
    name: `${manifest.name}/${manifest.version}`,
    folder,
    format: manifest.format,
    datatype: manifest.datatype,
    megabytes: manifest.model.bytes / 1e6,
    classes: manifest.output.classes,
    tier: manifest.tier,
    runtime: manifest.runtime,
    runtime_memory_bytes: manifest.runtimeMemoryBytes ?? null,
    ...(refusal && { not_for_resnet_int8: refusal }),
  };
}
