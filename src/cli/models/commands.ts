import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parseLabels } from '../../model/manifest.ts';
import { quantizeModel } from '../../quantize/quantize-model.ts';
import { verifyModel } from '../assets.ts';
import { benchModel } from './bench.ts';
import { readCalibrationImages } from './calibration-images.ts';
import { createEvaluator, type Engine, evaluate } from './evaluate.ts';
import { listImages, listLabelledImages } from './labelled-images.ts';
import { compileModel, findDraft, importModel, onnxFile } from './make.ts';
import { Progress } from './progress.ts';
import { openLocalTarget, openRemoteTarget, promoteModel, pushModel } from './publish.ts';
import { pullModel } from './pull.ts';
import { findPreset, readSources } from './sources.ts';
import { findModel, type LocalModel, listLocalModels } from './workspace.ts';

const usage = `Usage: npm run models -- COMMAND [options] [--json]

  list                            what can be pulled, and what is on this machine
  pull NAME                       download from the catalogue, verify, import, compile
       [--mirror URL] [--sources FILE]
  import FILE.onnx --name NAME    take an ONNX classifier: manifest, labels, compile
       [--labels FILE] [--preprocess PRESET] [--licence TEXT] [--source TEXT] [--no-compile]
  quantize NAME --calibration DIR make a new int8 version of an fp32 model, compile it
       [--method percentile|minmax|mse] [--percentile 99.999] [--limit N]
  compile NAME                    make the .ort file again, measure its memory, decide its tier
  verify [NAME]                   check sizes and SHA-256
  push NAME [--local|--remote]    publish a version to R2 (and KV); the first of its name is promoted
       [--kv-namespace-id ID]
  promote NAME VERSION            let the name stand for that version  [--local|--remote] [--default]
  eval NAME DIR|FILE.csv          top-1, top-5, calibration, agreement
       [--engine edge|onnxruntime-node] [--against NAME] [--limit N]
  bench NAME                      latency of the edge runtime and of onnxruntime-node, interleaved
       [--rounds N]

NAME is a model's name, or NAME/VERSION; without a version the newest on this machine.
PRESET names who exported the model: see model-assets/sources.json.`;

const options = {
  json: { type: 'boolean', default: false },
  name: { type: 'string' },
  labels: { type: 'string' },
  preprocess: { type: 'string', default: 'torchvision-v1' },
  licence: { type: 'string', default: 'unknown' },
  source: { type: 'string' },
  mirror: { type: 'string' },
  sources: { type: 'string' },
  'no-compile': { type: 'boolean', default: false },
  calibration: { type: 'string' },
  method: { type: 'string', default: 'percentile' },
  percentile: { type: 'string' },
  limit: { type: 'string' },
  local: { type: 'boolean', default: false },
  remote: { type: 'boolean', default: false },
  'kv-namespace-id': { type: 'string' },
  default: { type: 'boolean', default: false },
  engine: { type: 'string', default: 'edge' },
  against: { type: 'string' },
  rounds: { type: 'string', default: '15' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

type Values = ReturnType<typeof parse>['values'];
const parse = (args: string[]) => parseArgs({ args, options, allowPositionals: true });

/** npm runs scripts in the project's folder; a relative path means the folder the person is in. */
const toPath = (path: string) => resolve(process.env['INIT_CWD'] ?? process.cwd(), path);

/** @throws {Error} whose message is for the person at the terminal. */
export async function runCommand(args: string[]): Promise<void> {
  const { values, positionals } = parse(args);
  const [command, ...operands] = positionals;
  const run = command === undefined || values.help ? undefined : commands[command];
  if (!run) {
    console.log(usage);
    if (!values.help) throw new Error(command ? `\nThere is no command "${command}".` : '\nName a command.');
    return;
  }
  const result = await run(operands, values);
  if (values.json) console.log(JSON.stringify(result));
  else console.log(toText(result));
}

const commands: Readonly<Record<string, (operands: string[], values: Values) => Promise<unknown>>> = {
  async list(_, values) {
    const sources = await readSources(values.sources);
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
    const sources = await readSources(values.sources);
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
    const sources = await readSources(values.sources);
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

  async compile([name]) {
    return summarise(await compileModel(await findDraft(required(name, 'NAME'))));
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
    const against =
      values.against === undefined
        ? undefined
        : await createEvaluator(await findModel(values.against), 'onnxruntime-node');
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

function summarise({ folder, manifest }: LocalModel) {
  return {
    name: `${manifest.name}/${manifest.version}`,
    folder,
    format: manifest.format,
    datatype: manifest.datatype,
    megabytes: manifest.model.bytes / 1e6,
    classes: manifest.output.classes,
    tier: manifest.tier,
    runtime_memory_bytes: manifest.runtimeMemoryBytes ?? null,
  };
}

function required(value: string | undefined, what: string): string {
  if (value === undefined) throw new Error(`${what} is missing.\n\n${usage}`);
  return value;
}

function oneOf<T extends string>(value: string, allowed: readonly T[], option: string): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found) return found;
  throw new Error(`${option} must be ${allowed.join(', ')}, got "${value}".`);
}

function limit<T>(items: readonly T[], values: Values): readonly T[] {
  return values.limit === undefined ? items : items.slice(0, Number(values.limit));
}

function toText(result: unknown): string {
  const rows = (Array.isArray(result) ? result : [result]) as Record<string, unknown>[];
  const columns = Object.keys(rows[0] ?? {});
  if (rows.length === 1)
    return columns.map((column) => `${column.padEnd(22)} ${toCell(rows[0]![column])}`).join('\n');
  const widths = columns.map((column) =>
    Math.max(column.length, ...rows.map((row) => toCell(row[column]).length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) => cell.padEnd(widths[index]!))
      .join('  ')
      .trimEnd();
  return [line(columns), ...rows.map((row) => line(columns.map((column) => toCell(row[column]))))].join('\n');
}

function toCell(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (typeof value === 'number' && !Number.isInteger(value)) return value.toFixed(4).replace(/\.?0+$/, '');
  return Array.isArray(value) ? value.join('; ') || '-' : String(value);
}
