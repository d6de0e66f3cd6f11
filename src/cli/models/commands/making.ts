import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ModelManifest, runtimeNames } from '../../../model/manifest.ts';
import { UnsupportedGraphError } from '../../../toolchain/onnx/onnx-errors.ts';
import { parseModel } from '../../../toolchain/onnx/onnx-model.ts';
import { quantizeModel } from '../../../toolchain/quantize/quantize-model.ts';
import { toPath } from '../../command-line/to-path.ts';
import { listImages } from '../../list-images.ts';
import { readCalibrationImages } from '../calibration-images.ts';
import { type CompiledModel, compileModel, findDraft } from '../compile-model.ts';
import { defineModelCommand, oneOf, required, toCount } from '../define-model-command.ts';
import { readExportConfig } from '../export-config.ts';
import { guessExporter } from '../guess-exporter.ts';
import { importModel } from '../import-model.ts';
import {
  chooseRecipe,
  describePreprocessing,
  findOnnx,
  sideOf,
  toChanges,
  toShare,
} from '../import-options.ts';
import { recipeSchema } from '../preprocess-recipes.ts';
import { Progress } from '../progress.ts';
import { findSource, pullAndImport } from '../pull-and-import.ts';
import { readOnnx } from '../read-onnx.ts';
import { readSources } from '../sources.ts';
import { type LocalModel, onnxFile } from '../workspace.ts';

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
    const source = findSource(catalogue, `${name}`);
    const draft = await pullAndImport(catalogue, source, source.name, values.mirror);
    return await finish(draft, values['no-compile'], { notes: draft.notes });
  },
});

export const importFile = defineModelCommand({
  summary: 'take an ONNX classifier: manifest, labels, compile',
  synopsis: 'import FILE.onnx|FOLDER --name NAME [--labels FILE] [--preprocess PRESET] [--licence TEXT] ...',
  notes: `FOLDER               one with model.onnx in it; config.json and preprocessor_config.json beside a
                     graph (Hugging Face, timm) give labels and preprocessing
--labels FILE        labels.json, a text file of a label a line, or an id2label object
--preprocess PRESET  who trained the model: see model-assets/sources.json. Else it is guessed, and said so
--size N             side of the image in pixels, where the graph leaves it open
--resize N|stretch   the shorter side before the crop, or the whole image is stretched to a square
--interpolation NAME bilinear or bicubic
--mean A,B,C --std A,B,C   of samples from 0 to 1, in the network's order of channels
--output NAME        the tensor that holds the scores, where there are several outputs
--scoring NAME       softmax (one class is right) or sigmoid (several may be)
--threshold P        with sigmoid: an answer has the labels of at least this score (default 0.5)
--sources FILE       another catalogue than model-assets/sources.json
--licence TEXT, --source TEXT   for the manifest
--no-compile         leave it at the ONNX file`,
  options: {
    name: { type: 'string' },
    labels: { type: 'string' },
    preprocess: { type: 'string' },
    size: { type: 'string' },
    resize: { type: 'string' },
    interpolation: { type: 'string' },
    mean: { type: 'string' },
    std: { type: 'string' },
    output: { type: 'string' },
    scoring: { type: 'string' },
    threshold: { type: 'string' },
    licence: { type: 'string', default: 'unknown' },
    source: { type: 'string' },
    sources,
    'no-compile': noCompile,
  },
  operands: { min: 1, max: 1 },
  async run(values, [given]) {
    const name = required(values.name, '--name NAME');
    const changes = toChanges(values);
    const catalogue = await readSources(values.sources && toPath(values.sources));
    const path = await findOnnx(toPath(`${given}`));
    const file = await readOnnx(path);
    const config = await readExportConfig(path, changes.size ?? sideOf(file.model));
    const guess = guessExporter(file.model);
    const { recipe, from } = chooseRecipe(catalogue, values.preprocess, config, guess);
    const scoring = values.scoring && oneOf(values.scoring, ['softmax', 'sigmoid'] as const, '--scoring');
    const draft = await importModel(file, {
      name,
      labels: values.labels ? toPath(values.labels) : config.labels,
      recipe,
      changes,
      output: values.output,
      scoring: scoring || config.scoring,
      threshold: values.threshold === undefined ? undefined : toShare(values.threshold, '--threshold'),
      source: values.source ?? `imported from ${given}`,
      licence: values.licence,
    });
    const { preprocess, output } = draft.manifest;
    const told = {
      exporter: guess.exporter,
      preprocessing: `${from}: ${describePreprocessing(preprocess)}`,
      labels: values.labels ?? config.labelSource ?? 'ImageNet-1k',
      scoring: output.scoring === 'sigmoid' ? `sigmoid, labels of at least ${output.threshold}` : 'softmax',
      notes: draft.notes,
    };
    return await finish(draft, values['no-compile'], told);
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
    const graph = await readFile(join(source.folder, onnxFile));
    const { model, report } = await quantizeModel(graph, {
      calibration: readCalibrationImages(images, source.manifest.preprocess, (path) => skipped.push(path)),
      method,
      ...(values.percentile !== undefined && { percentile: Number(values.percentile) }),
      onProgress: (step) => step.stage === 'calibrate' && progress.update(step.images),
    })
      .catch((error: unknown) => {
        throw error instanceof UnsupportedGraphError ? toRefusal(error, source) : error;
      })
      .finally(() => progress.end());
    const { output, preprocess } = source.manifest;
    const draft = await importModel(
      { bytes: model, model: parseModel(model), hasExternalData: false },
      {
        name: source.manifest.name,
        labels: join(source.folder, source.manifest.labels.file),
        recipe: recipeSchema.parse(source.json['preprocess']),
        changes: { size: preprocess.centerCrop },
        scoring: output.scoring,
        threshold: output.threshold,
        source: `${source.manifest.source}; int8 by models quantize from version ${source.manifest.version}`,
        licence: source.manifest.licence,
      },
    );
    const { calibrationImages, percentile, notes } = report;
    return {
      ...(await finish(draft, false, {})),
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

/** What serves a model that cannot be quantized. */
function toRefusal({ message }: UnsupportedGraphError, { manifest }: LocalModel): Error {
  const { name, version, tier, datatype } = manifest;
  const server = tier === 'edge' ? 'onnxruntime-web at the edge' : 'the batch tier';
  return new Error(
    `${message}. It cannot be quantized here; ${name}/${version} stays as it is, ${datatype}, served by ${server}.`,
  );
}

/** Compiles what was imported. A version that cannot be compiled is not left behind: it would be the newest. */
async function finish(draft: LocalModel, isLeftAsIs: boolean, told: object) {
  if (isLeftAsIs) return { ...summarise(draft), ...told };
  try {
    return { ...summarise(await compileModel(draft)), ...told };
  } catch (error) {
    await rm(draft.folder, { recursive: true });
    throw error;
  }
}

function summarise({ folder, manifest, notForEngine, notForEdge }: CompiledModel) {
  const { name, version, tier } = manifest;
  const serves =
    tier === 'edge' ? 'the edge, and the batch tier' : 'the batch tier alone (npm run start:all)';
  return {
    name: `${name}/${version}`,
    folder,
    files: Object.keys(manifest.files).join(', '),
    datatype: manifest.datatype,
    megabytes: manifest.edgeFile.bytes / 1e6,
    classes: manifest.output.classes,
    tier,
    runtime: manifest.runtime,
    runtime_memory_bytes: manifest.runtimeMemoryBytes ?? null,
    served_by: serves,
    ...(notForEngine && { not_for_resnet_int8: notForEngine }),
    ...(notForEdge && { not_for_the_edge: notForEdge }),
    next: toNextCommand(manifest),
  };
}

/** What a person does now: int8 is a third of the time and a quarter of the memory. */
function toNextCommand({ name, version, datatype }: ModelManifest): string {
  return datatype === 'fp32'
    ? `npm run models -- quantize ${name} --calibration FOLDER_OF_PHOTOS`
    : `npm run models -- push ${name}/${version}`;
}
