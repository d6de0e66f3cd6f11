import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runtimeNames } from '../../../model/manifest.ts';
import { quantizeModel } from '../../../toolchain/quantize/quantize-model.ts';
import { toPath } from '../../command-line/to-path.ts';
import { listImages } from '../../list-images.ts';
import { readCalibrationImages } from '../calibration-images.ts';
import { defineModelCommand, oneOf, required, toCount } from '../define-model-command.ts';
import { type CompiledModel, compileModel, findDraft, importModel } from '../make.ts';
import { Progress } from '../progress.ts';
import { pullModel } from '../pull.ts';
import { findPreset, readSources } from '../sources.ts';
import { onnxFile } from '../workspace.ts';

const sources = { type: 'string' } as const;
const noCompile = { type: 'boolean', default: false } as const;

export const pull = defineModelCommand({
  summary: 'download from the catalogue, verify, import, compile',
  synopsis: 'pull NAME [--mirror URL] [--sources FILE] [--no-compile]',
  notes: `--mirror URL    where to download from (or the variable RESNET_EDGE_MIRROR)
--sources FILE  another catalogue than model-assets/sources.json
--no-compile    leave it at the ONNX file`,
  options: { mirror: { type: 'string' }, sources, 'no-compile': noCompile },
  operands: { min: 1, max: 1 },
  async run(values, [name]) {
    const catalogue = await readSources(values.sources && toPath(values.sources));
    const source = catalogue.models.find((model) => model.name === name);
    if (!source)
      throw new Error(
        `The catalogue has no "${name}". It has: ${catalogue.models.map((model) => model.name).join(', ')}.`,
      );
    const path = await pullModel(source, values.mirror ?? process.env['RESNET_EDGE_MIRROR']);
    const draft = await importModel(path, {
      name: source.name,
      preprocess: findPreset(catalogue, source.preprocess),
      source: `${source.source}: ${source.url}`,
      licence: source.licence,
      description: `As published: top-1 ${source.published_accuracy.top1} %, top-5 ${source.published_accuracy.top5 ?? 'not given'} %.`,
    });
    return summarise(values['no-compile'] ? draft : await compileModel(draft));
  },
});

export const importFile = defineModelCommand({
  summary: 'take an ONNX classifier: manifest, labels, compile',
  synopsis: 'import FILE.onnx --name NAME [--labels FILE] [--preprocess PRESET] [--licence TEXT] ...',
  notes: `--labels FILE        labels.json, a text file of a label a line, or an id2label object
--preprocess PRESET  who exported the model (default torchvision-v1): see model-assets/sources.json
--sources FILE       another catalogue than model-assets/sources.json
--licence TEXT, --source TEXT   for the manifest
--no-compile         leave it at the ONNX file`,
  options: {
    name: { type: 'string' },
    labels: { type: 'string' },
    preprocess: { type: 'string', default: 'torchvision-v1' },
    licence: { type: 'string', default: 'unknown' },
    source: { type: 'string' },
    sources,
    'no-compile': noCompile,
  },
  operands: { min: 1, max: 1 },
  async run(values, [file]) {
    const catalogue = await readSources(values.sources && toPath(values.sources));
    const draft = await importModel(toPath(`${file}`), {
      name: required(values.name, '--name NAME'),
      labels: values.labels && toPath(values.labels),
      preprocess: findPreset(catalogue, values.preprocess),
      source: values.source ?? `imported from ${file}`,
      licence: values.licence,
    });
    return summarise(values['no-compile'] ? draft : await compileModel(draft));
  },
});

export const quantize = defineModelCommand({
  summary: 'make a new int8 version of an fp32 model, compile it',
  synopsis: 'quantize NAME --calibration DIR [--method METHOD] [--percentile P] [--limit N]',
  notes: `--calibration DIR  photos like those that will be classified
--method METHOD    percentile (default), minmax or mse
--percentile P     such as 99.999
--limit N          use the first N photos`,
  options: {
    calibration: { type: 'string' },
    method: { type: 'string', default: 'percentile' },
    percentile: { type: 'string' },
    limit: { type: 'string' },
  },
  operands: { min: 1, max: 1 },
  async run(values, [name]) {
    const method = oneOf(values.method, ['percentile', 'minmax', 'mse'] as const, '--method');
    const limit = values.limit === undefined ? undefined : toCount(values.limit, '--limit');
    const source = await findDraft(`${name}`);
    const found = await listImages(toPath(required(values.calibration, '--calibration DIR')));
    const images = found.slice(0, limit);
    const progress = new Progress('calibrate', images.length);
    const skipped: string[] = [];
    const { model, report } = await quantizeModel(await readFile(join(source.folder, onnxFile)), {
      calibration: readCalibrationImages(images, source.manifest.preprocess, (path) => skipped.push(path)),
      method,
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
    const { calibrationImages, percentile, notes } = report;
    return {
      ...summarise(compiled),
      calibration_images: calibrationImages,
      method: report.method,
      percentile,
      notes,
      skipped,
    };
  },
});

export const compile = defineModelCommand({
  summary: "make the edge's file again; decides runtime and tier",
  synopsis: 'compile NAME [--runtime RUNTIME]',
  notes: `--runtime RUNTIME  ${runtimeNames.join(' or ')} (default: what runs the graph best)`,
  options: { runtime: { type: 'string' } },
  operands: { min: 1, max: 1 },
  async run({ runtime }, [name]) {
    const only = runtime === undefined ? undefined : oneOf(runtime, runtimeNames, '--runtime');
    return summarise(await compileModel(await findDraft(`${name}`), only));
  },
});

function summarise({ folder, manifest, refusal }: CompiledModel) {
  return {
    name: `${manifest.name}/${manifest.version}`,
    folder,
    files: Object.keys(manifest.files).join(', '),
    datatype: manifest.datatype,
    megabytes: manifest.edgeFile.bytes / 1e6,
    classes: manifest.output.classes,
    tier: manifest.tier,
    runtime: manifest.runtime,
    runtime_memory_bytes: manifest.runtimeMemoryBytes ?? null,
    ...(refusal && { not_for_resnet_int8: refusal }),
  };
}
