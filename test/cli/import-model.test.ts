import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readExportConfig } from '../../src/cli/models/export-config.ts';
import { guessExporter } from '../../src/cli/models/guess-exporter.ts';
import { chooseRecipe } from '../../src/cli/models/import-options.ts';
import { readOnnx } from '../../src/cli/models/read-onnx.ts';
import { readSources } from '../../src/cli/models/sources.ts';
import type { OnnxModel } from '../../src/toolchain/onnx/onnx-graph.ts';
import { parseModel, serialiseModel } from '../../src/toolchain/onnx/onnx-model.ts';
import { decodeModelProto, encodeModelProto } from '../../src/toolchain/onnx/onnx-proto.ts';
import { type Wrapping, wrapResnet } from '../toolchain/import/wrap-resnet.ts';
import { runModel } from '../toolchain/quantize/ort-checks.ts';
import { buildResnet, classCount, imageShape } from '../toolchain/quantize/resnet-builder.ts';
import { smoothImages } from '../toolchain/quantize/smooth-images.ts';

const { folder, workspace } = vi.hoisted(() => {
  const root = `${process.env['TMPDIR'] ?? '/tmp'}/import-${process.pid}-${Date.now()}`;
  process.env['RESNET_EDGE_MODELS_DIR'] = `${root}/workspace`;
  return { folder: root, workspace: `${root}/workspace` };
});
const { importModel } = await import('../../src/cli/models/import-model.ts');
const { compileModel } = await import('../../src/cli/models/compile-model.ts');
const { listImages } = await import('../../src/cli/list-images.ts');

const recipe = {
  crop_fraction: 0.875,
  interpolation: 'bilinear',
  center_crop: 224,
  rescale_factor: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
} satisfies Parameters<typeof importModel>[1]['recipe'];
const labels = Array.from({ length: classCount }, (_, i) => `class ${i}`);
const options = { recipe, labels, source: 'the test', licence: 'MIT' };
const model = parseModel(buildResnet({ opset: 13, norm: 'folded' }));
const asFile = (made: OnnxModel) => ({ bytes: serialiseModel(made), model: made, hasExternalData: false });

beforeAll(() => mkdir(folder, { recursive: true }));
afterAll(() => rm(folder, { recursive: true }));

/** The model with every large tensor in one file beside it, as torch.onnx.export writes it. */
async function writeWithData(path: string, location: string, data = location): Promise<void> {
  const proto = decodeModelProto(serialiseModel(model));
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const tensor of proto.graph?.initializer ?? []) {
    const raw = new Uint8Array(tensor.rawData ?? []);
    delete tensor.rawData;
    tensor.dataLocation = 1;
    tensor.externalData = [
      { key: 'location', value: location },
      { key: 'offset', value: `${offset}` },
      { key: 'length', value: `${raw.length}` },
    ];
    parts.push(raw);
    offset += raw.length;
  }
  await writeFile(path, encodeModelProto(proto));
  await writeFile(join(folder, data), Buffer.concat(parts));
}

describe('weights in a file beside the graph', () => {
  it('are read, and the version has one file', async () => {
    const path = join(folder, 'split.onnx');
    await writeWithData(path, 'split.onnx.data');
    const made = await importModel(path, { ...options, name: 'split' });
    const bytes = await readFile(join(made.folder, 'model.onnx'));
    const image = smoothImages(1, 3)[0]!;
    const [actual] = await runModel(bytes, [image], imageShape);
    const [wanted] = await runModel(serialiseModel(model), [image], imageShape);
    expect(actual).toEqual(wanted);
  });
  it('are refused outside the folder, however the path is written', async () => {
    const inner = join(folder, 'inner');
    await mkdir(inner);
    await symlink(join(folder, 'split.onnx.data'), join(inner, 'link.data'));
    for (const location of ['../split.onnx.data', join(folder, 'split.onnx.data'), 'link.data']) {
      await writeWithData(join(inner, 'thief.onnx'), location, 'unused.data');
      await expect(readOnnx(join(inner, 'thief.onnx'))).rejects.toThrow('outside its own folder');
    }
  });
  it('are missed in a sentence', async () => {
    await writeWithData(join(folder, 'lost.onnx'), 'lost.onnx.data', 'elsewhere.data');
    await expect(readOnnx(join(folder, 'lost.onnx'))).rejects.toThrow('copy both files together');
    await writeWithData(join(folder, 'short.onnx'), 'short.onnx.data');
    await writeFile(join(folder, 'short.onnx.data'), new Uint8Array(10));
    await expect(readOnnx(join(folder, 'short.onnx'))).rejects.toThrow('was it copied whole?');
  });
});

describe('the manifest says what the graph did', () => {
  const bySigmoid: Wrapping = { opType: 'Sigmoid' };
  it('sigmoid with a threshold', async () => {
    const made = await importModel(asFile(wrapResnet({ behind: [bySigmoid] })), {
      ...options,
      name: 'labels',
      threshold: 0.3,
    });
    expect(made.manifest.output).toMatchObject({ kind: 'logits', scoring: 'sigmoid', threshold: 0.3 });
  });
  it('the size of the graph, in the proportions of the recipe', async () => {
    const made = await importModel(asFile(model), { ...options, name: 'small' });
    expect(made.manifest.preprocess).toMatchObject({ centerCrop: 32, resizeShortestEdge: 36 });
    await expect(
      importModel(asFile(model), { ...options, name: 'small', changes: { size: 64 } }),
    ).rejects.toThrow('takes 32 x 32 pixels, and --size says 64');
  });
  it('mean and std of a graph that normalises, and no others beside them', async () => {
    const before: Wrapping[] = [
      {
        opType: 'Div',
        constants: [{ datatype: 'FP32', shape: [], data: Float32Array.of(255) }],
      },
    ];
    const made = await importModel(asFile(wrapResnet({ before })), { ...options, name: 'inside' });
    expect(made.manifest.preprocess).toMatchObject({ mean: [0, 0, 0], std: [1, 1, 1] });
    await expect(
      importModel(asFile(wrapResnet({ before })), {
        ...options,
        name: 'inside',
        changes: { mean: [0.5, 0.5, 0.5] },
      }),
    ).rejects.toThrow('normalises its pixels itself');
  });
  it('two labels for one sigmoid, of which one is enough', async () => {
    const first: Wrapping = {
      opType: 'Slice',
      constants: [0, 1, 1].map((value) => ({
        datatype: 'INT64' as const,
        shape: [1],
        data: BigInt64Array.of(BigInt(value)),
      })),
    };
    const made = await importModel(asFile(wrapResnet({ behind: [first, bySigmoid] })), {
      ...options,
      name: 'dog',
      labels: ['dog'],
    });
    const rows = JSON.parse(await readFile(join(made.folder, 'labels.json'), 'utf8'));
    expect(rows.map(({ label }: { label: string }) => label)).toEqual(['not dog', 'dog']);
  });
});

describe('a version that is not whole', () => {
  it('is not left behind by a failed import', async () => {
    await expect(
      importModel(asFile(model), { ...options, name: 'failing', labels: ['one'] }),
    ).rejects.toThrow('1 rows for 10 classes');
    expect(await readdir(join(workspace, 'failing'))).toEqual([]);
  });
  it('is served by the batch tier where onnxruntime-web cannot run the graph', async () => {
    const made = await importModel(asFile(model), { ...options, name: 'fallback' });
    // A graph that import has seen run, damaged since then: what compiling cannot read.
    await writeFile(
      join(made.folder, 'model.onnx'),
      serialiseModel(wrapResnet({ behind: [{ opType: 'NoSuchNode' }] })),
    );
    const compiled = await compileModel(made);
    expect(compiled.manifest.tier).toBe('node');
    expect(compiled.notForEdge).toContain('onnxruntime-web does not run it');
  });
});

describe('what lies beside an export', () => {
  const write = async (name: string, files: Readonly<Record<string, unknown>>) => {
    const path = join(folder, name);
    await mkdir(path, { recursive: true });
    for (const [file, json] of Object.entries(files)) await writeFile(join(path, file), JSON.stringify(json));
    return join(path, 'model.onnx');
  };
  it('is read as transformers writes it', async () => {
    const path = await write('hugging-face', {
      'config.json': {
        id2label: { 1: 'dog', 0: 'cat', 10: 'owl' },
        problem_type: 'multi_label_classification',
      },
      'preprocessor_config.json': {
        image_processor_type: 'ConvNextImageProcessor',
        size: { shortest_edge: 224 },
        crop_pct: 0.875,
        resample: 3,
        image_mean: [0.1, 0.2, 0.3],
        image_std: [0.4, 0.5, 0.6],
        do_normalize: true,
      },
    });
    expect(await readExportConfig(path, 224)).toMatchObject({
      labels: ['cat', 'dog', 'owl'],
      scoring: 'sigmoid',
      recipe: {
        crop_fraction: 0.875,
        interpolation: 'bicubic',
        crop_rounding: 'floor',
        mean: [0.1, 0.2, 0.3],
      },
    });
  });
  it.each([
    [
      { size: { height: 224, width: 224 }, resample: 2 },
      { resize_by: 'stretch', center_crop: 224 },
    ],
    [
      {
        size: { shortest_edge: 256 },
        do_center_crop: true,
        crop_size: { height: 224, width: 224 },
        resample: 3,
      },
      { resize_shortest_edge: 256, center_crop: 224 },
    ],
    [
      { image_processor_type: 'ConvNextImageProcessor', size: { shortest_edge: 384 }, resample: 3 },
      { resize_by: 'stretch', center_crop: 384 },
    ],
  ])('%j', async (processor, expected) => {
    const path = await write('processors', { 'preprocessor_config.json': processor });
    expect((await readExportConfig(path, undefined)).recipe).toMatchObject(expected);
  });
  it('is read as timm writes it, at either of its sizes', async () => {
    const path = await write('timm', {
      'config.json': {
        architecture: 'resnet50d',
        pretrained_cfg: {
          input_size: [3, 224, 224],
          test_input_size: [3, 288, 288],
          crop_pct: 0.875,
          test_crop_pct: 0.95,
          interpolation: 'bicubic',
          mean: [0.5, 0.5, 0.5],
          std: [0.5, 0.5, 0.5],
        },
      },
    });
    expect((await readExportConfig(path, 224)).recipe).toMatchObject({ crop_fraction: 0.875 });
    expect((await readExportConfig(path, 288)).recipe).toMatchObject({
      crop_fraction: 0.95,
      center_crop: 288,
    });
  });
  it('is refused where it asks for a filter that is not served', async () => {
    const path = await write('lanczos', { 'preprocessor_config.json': { resample: 1 } });
    await expect(readExportConfig(path, 224)).rejects.toThrow("Pillow's filter 1");
  });
  it('goes before a guess, and a preset before both', async () => {
    const sources = await readSources();
    const guess = guessExporter({ ...model, producerName: 'pytorch' });
    const beside = { recipe, recipeSource: 'the file beside it' };
    expect(chooseRecipe(sources, 'inception', beside, guess).from).toBe('inception');
    expect(chooseRecipe(sources, undefined, beside, guess).from).toBe('the file beside it');
    expect(chooseRecipe(sources, undefined, {}, guess).from).toMatch(/^torchvision-v1, guessed: PyTorch/);
  });
  it.each([
    ['pytorch', 'pixel_values', 'hugging-face'],
    ['tf2onnx', 'input', 'keras'],
    ['', 'data', 'onnx-zoo'],
    ['someone', 'x', 'torchvision-v1'],
  ])('%s with an input %s is guessed to be %s', (producerName, name, preset) => {
    const graph = { ...model.graph, inputs: [{ ...model.graph.inputs[0]!, name }] };
    expect(guessExporter({ ...model, producerName, graph }).preset).toBe(preset);
  });
});

it('photos behind symbolic links calibrate too', async () => {
  const links = await mkdtemp(join(tmpdir(), 'links-'));
  const photo = new URL('../golden/cat.jpg', import.meta.url).pathname;
  await symlink(photo, join(links, 'cat.jpg'));
  await symlink(join(links, 'nowhere.jpg'), join(links, 'dead.jpg'));
  expect(await listImages(links)).toEqual([join(links, 'cat.jpg')]);
});
