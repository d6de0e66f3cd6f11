import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/cli/paths.ts';
import { goldenPath } from '../golden/golden.ts';
import { buildResnet, classCount } from '../toolchain/quantize/resnet-builder.ts';

/** A ResNet of 32 x 32 pixels and 10 classes, random weights: small enough to make in a test. */
const onnx = buildResnet({ opset: 13 });
const sha256 = createHash('sha256').update(onnx).digest('hex');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'models-'));
  await writeFile(join(folder, 'tiny.onnx'), onnx);
  await writeFile(
    join(folder, 'labels.txt'),
    Array.from({ length: classCount }, (_, index) => `class ${index}`).join('\n'),
  );
  await writeSources({});
});

async function writeSources(change: object, name = 'sources.json'): Promise<string> {
  const tiny = {
    resize_shortest_edge: 36,
    interpolation: 'bilinear',
    center_crop: 32,
    rescale_factor: 1 / 255,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
  };
  const model = {
    name: 'tiny',
    url: 'https://models.invalid/zoo/tiny.onnx',
    bytes: onnx.length,
    sha256,
    datatype: 'fp32',
    preprocess: 'tiny',
    licence: 'MIT',
    source: 'the test',
    published_accuracy: { top1: 10, top5: 50 },
    tier: 'edge',
    ...change,
  };
  const path = join(folder, name);
  await writeFile(path, JSON.stringify({ preprocess_presets: { tiny }, models: [model] }));
  return path;
}

/** Runs the command as a person would, in a workspace and a local store of the test's own. */
async function models(...args: string[]) {
  const env = {
    ...process.env,
    RESNET_EDGE_MODELS_DIR: join(folder, 'workspace'),
    RESNET_EDGE_STATE_DIR: join(folder, 'state'),
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    WRANGLER_SEND_METRICS: 'false',
  };
  const argv = ['src/cli/main.ts', 'models', ...args, '--json'];
  return await new Promise<{ code: number; json: Record<string, unknown>; err: string }>((resolve) => {
    execFile(process.execPath, argv, { cwd: projectRoot, env }, (error, stdout, stderr) => {
      const last = stdout.trim().split('\n').at(-1) ?? '';
      resolve({
        code: error ? Number(error.code) : 0,
        json: last.startsWith('{') || last.startsWith('[') ? JSON.parse(last) : {},
        err: stderr,
      });
    });
  });
}

const importTiny = (name: string) =>
  models(
    'import',
    join(folder, 'tiny.onnx'),
    '--name',
    name,
    '--labels',
    join(folder, 'labels.txt'),
    '--preprocess',
    'tiny',
    '--sources',
    join(folder, 'sources.json'),
    '--licence',
    'MIT',
  );

describe('npm run models', () => {
  it('imports a classifier: manifest, labels, a file for the edge', async () => {
    const { code, json } = await importTiny('imported');
    expect(code).toBe(0);
    expect(json).toMatchObject({
      name: 'imported/1',
      files: 'onnx, ort',
      datatype: 'fp32',
      classes: classCount,
      tier: 'edge',
      served_by: 'the edge, and the batch tier',
      not_for_resnet_int8: expect.stringContaining('run models quantize first'),
      exporter: 'resnet-builder',
      preprocessing: expect.stringMatching(/^tiny: shorter side to 36, bilinear, crop 32/),
      scoring: 'softmax',
      next: 'npm run models -- quantize imported --calibration FOLDER_OF_PHOTOS',
    });
    const manifest = JSON.parse(await readFile(join(folder, 'workspace/imported/1/manifest.json'), 'utf8'));
    expect(manifest.input.shape).toEqual([1, 3, 32, 32]);
    expect(manifest.runtime_memory_bytes).toBeGreaterThanOrEqual(16 * 1024 * 1024);
    expect((await models('verify', 'imported')).code).toBe(0);
  });

  it('asks for labels when there are not 1000 classes', async () => {
    const { code, err } = await models(
      'import',
      join(folder, 'tiny.onnx'),
      '--name',
      'unlabelled',
      '--preprocess',
      'tiny',
      '--sources',
      join(folder, 'sources.json'),
    );
    expect(code).toBe(1);
    expect(err).toContain('--labels');
  });

  it('refuses preprocessing that does not fit the graph', async () => {
    const { code, err } = await models(
      'import',
      join(folder, 'tiny.onnx'),
      '--name',
      'misfit',
      '--labels',
      join(folder, 'labels.txt'),
      '--size',
      '64',
    );
    expect(code).toBe(1);
    expect(err).toContain('32 x 32');
  });

  it('quantizes to a new version that agrees with the old one, publishes and promotes it', async () => {
    await importTiny('quantized');
    const { code, json } = await models(
      'quantize',
      'quantized/1',
      '--calibration',
      goldenPath('.'),
      '--method',
      'minmax',
    );
    expect(code).toBe(0);
    expect(json).toMatchObject({ name: 'quantized/2', datatype: 'int8', tier: 'edge', method: 'minmax' });
    // Photos of this repository, each put into class 0: what counts is that both versions choose alike.
    const csv = join(folder, 'photos.csv');
    await writeFile(
      csv,
      ['cat.jpg', 'coffee.png', 'rocket.jpg'].map((file) => `${goldenPath(file)},class 0`).join('\n'),
    );
    const evaluated = await models('eval', 'quantized/2', csv, '--against', 'quantized/1');
    expect(evaluated.json).toMatchObject({ images: 3, agreement: 1 });

    expect((await models('promote', 'quantized', '2')).err).toContain('not published');
    expect((await models('push', 'quantized/1', '--local')).json).toMatchObject({
      written: 4,
      promoted: true,
    });
    expect((await models('push', 'quantized/2', '--local')).json).toMatchObject({
      written: 4,
      promoted: false,
    });
    expect((await models('push', 'quantized/2', '--local')).json).toMatchObject({ written: 0 });
    expect((await models('promote', 'quantized', '2', '--local')).code).toBe(0);
  });

  it('never publishes another model under a version that is out', async () => {
    await importTiny('immutable');
    await models('push', 'immutable/1', '--local');
    const path = join(folder, 'workspace/immutable/1/manifest.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"MIT"', '"Apache-2.0"'));
    const { code, err } = await models('push', 'immutable/1', '--local');
    expect(code).toBe(1);
    expect(err).toContain('never changes');
  });

  it('notices a file that was changed', async () => {
    await importTiny('damaged');
    const path = join(folder, 'workspace/damaged/1/model.ort');
    const bytes = await readFile(path);
    bytes[100]! ^= 1;
    await writeFile(path, bytes);
    const { code, err } = await models('push', 'damaged', '--local');
    expect(code).toBe(1);
    expect(err).toContain('SHA-256');
  });

  it.each(['../escaped', 'With Space'])('writes nothing for a model named "%s"', async (name) => {
    const { code, err } = await importTiny(name);
    expect(code).toBe(1);
    expect(err).toContain("cannot be a model's name");
    expect(await readdir(folder)).not.toContain('escaped');
    expect(await readdir(join(folder, 'workspace'))).not.toContain(name);
  });

  it('benches and evaluates the embedded default on both runtimes', async () => {
    const benched = await models('bench', 'resnet18-imagenet1k', '--rounds', '1');
    expect(benched.json).toMatchObject([
      { engine: 'edge, resnet-int8', rounds: 1 },
      { engine: 'onnxruntime-node, one thread', rounds: 1 },
    ]);
    const csv = join(folder, 'cat.csv');
    await writeFile(csv, `${goldenPath('cat.jpg')},n02124075`);
    expect((await models('eval', 'resnet18-imagenet1k', csv)).json).toMatchObject({ images: 1, top1: 1 });
    const node = await models('eval', 'resnet18-imagenet1k', csv, '--engine', 'onnxruntime-node');
    expect(node.json).toMatchObject({ images: 1, top1: 1 });
    await writeFile(csv, `${goldenPath('cat.jpg')},crane`);
    expect((await models('eval', 'resnet18-imagenet1k', csv)).err).toContain('Several classes');
    await writeFile(csv, `${join(folder, 'labels.txt')},n02124075`);
    expect((await models('eval', 'resnet18-imagenet1k', csv)).err).toContain('labels.txt: These bytes');
  });

  it.each([
    ['frobnicate', 2, 'no command "frobnicate"'],
    ['toString', 2, 'no command "toString"'],
    ['bench resnet18-imagenet1k --rounds abc', 2, '--rounds must be a whole number'],
    ['eval resnet18-imagenet1k . --limit 0', 2, '--limit must be a whole number'],
    ['push a --env staging', 2, 'belong to --remote'],
    ['push a --local --remote', 2, 'Choose'],
    ['push a --remote --env moon', 2, '--env must be production or staging'],
    ['import a.onnx', 2, '--name NAME is missing'],
    ['eval resnet18-imagenet1k test/golden', 1, 'expected CLASS/IMAGE in it'],
  ])('%s: status %s, and says what is wrong', async (args, status, message) => {
    const { code, err } = await models(...args.split(' '));
    expect(code).toBe(status);
    expect(err).toContain(message);
  });
});

describe('npm run models -- pull', () => {
  let server: Server;
  afterEach(() => server?.close());

  /** A mirror that serves the model with ranges; `cutAfter` drops the first answer after so many bytes. */
  async function startMirror(content: Uint8Array, cutAfter?: number) {
    const ranges: (string | undefined)[] = [];
    server = createServer((request, response) => {
      ranges.push(request.headers.range);
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      response.writeHead(from > 0 ? 206 : 200, { 'content-length': content.length - from });
      if (cutAfter !== undefined && ranges.length === 1) {
        // The client has the first bytes before the connection breaks.
        response.write(content.subarray(0, cutAfter), () => setTimeout(() => response.destroy(), 200));
      } else response.end(content.subarray(from));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    return { url: `http://127.0.0.1:${port}`, ranges };
  }
  const pull = (sources: string, mirror: string) =>
    models('pull', 'tiny', '--no-compile', '--sources', sources, '--mirror', mirror);
  const downloads = async () => readdir(join(folder, 'workspace/.downloads')).catch(() => []);

  it('keeps nothing of a file with another hash', async () => {
    const sources = await writeSources({ sha256: 'f'.repeat(64) }, 'wrong.json');
    const { url } = await startMirror(onnx);
    const { code, err } = await pull(sources, url);
    expect(code).toBe(1);
    expect(err).toContain('Nothing was kept');
    expect(await downloads()).toEqual([]);
  });

  it('goes on where the server closed the connection', async () => {
    const sources = await writeSources({}, 'pull.json');
    const { url, ranges } = await startMirror(onnx, 5000);
    // The graph has 10 classes and the catalogue no labels: it is downloaded, and import then asks for them.
    expect((await pull(sources, url)).err).toContain('--labels');
    expect(ranges).toEqual([undefined, 'bytes=5000-']);
    const [file] = await downloads();
    expect(new Uint8Array(await readFile(join(folder, 'workspace/.downloads', file!)))).toEqual(onnx);
  });

  it('gives up on a server that gives nothing more, and says how far it came', async () => {
    const sources = await writeSources({ sha256: 'd'.repeat(64) }, 'cut.json');
    let answers = 0;
    server = createServer((_, response) => {
      response.writeHead(answers++ === 0 ? 200 : 206, { 'content-length': onnx.length });
      response.write(answers === 1 ? onnx.subarray(0, 3000) : '', () => response.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const { code, err } = await pull(sources, `http://127.0.0.1:${port}`);
    expect(code).toBe(1);
    expect(err).toMatch(/broke off after \d+ of/);
    expect(err).not.toContain('AssertionError');
  });

  it('says what to do without a network', async () => {
    await mkdir(join(folder, 'offline'), { recursive: true });
    const sources = await writeSources({ sha256: 'e'.repeat(64) }, 'offline.json');
    const { code, err } = await pull(sources, 'http://127.0.0.1:9');
    expect(code).toBe(1);
    expect(err).toContain('RESNET_EDGE_MIRROR');
  });
});
