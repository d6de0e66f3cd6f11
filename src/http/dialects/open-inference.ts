import type { Context } from 'hono';
import type { InferredRow } from '../../classify/classifier.ts';
import { CodedError } from '../../errors.ts';
import { yieldToOthers } from '../../lib/yield-to-others.ts';
import {
  maxImagesPerRequest,
  maxTensorBodyBytes,
  maxTensorElements,
  tensorBodyWeight,
} from '../../limits.ts';
import type { ModelManifest } from '../../model/manifest.ts';
import { toClassificationTensor } from '../../protocol/open-inference/classification.ts';
import {
  type InferRequest,
  parseInferRequest,
  type RequestedOutput,
} from '../../protocol/open-inference/infer-request.ts';
import { formatInferResponse } from '../../protocol/open-inference/infer-response.ts';
import {
  embeddingOutput,
  listOutputs,
  toModelMetadata,
  toOpenError,
  toServerMetadata,
} from '../../protocol/open-inference/metadata.ts';
import { toModelInputs } from '../../protocol/open-inference/model-inputs.ts';
import { type OpenTensor, tensorError } from '../../protocol/open-inference/tensor.ts';
import {
  type ModelCounts,
  toModelConfig,
  toModelStats,
} from '../../protocol/open-inference/triton-extensions.ts';
import { answerError } from '../answer-error.ts';
import { readModel } from '../answer-image.ts';
import type { HonoEnv } from '../context.ts';
import { needs, toKnownCaller } from '../middleware/access.ts';
import { toModelLabel } from '../model-label.ts';
import { createRouter, mount } from '../openapi.ts';
import { readBody } from '../read-body.ts';
import {
  declare,
  declareInfer,
  modelConfigSchema,
  modelMetadataSchema,
  modelReadySchema,
  serverLiveSchema,
  serverReadySchema,
  serverSchema,
  statisticsSchema,
} from './open-inference-declarations.ts';

/** The Open Inference Protocol v2, as KServe, Triton and their clients speak it. */
export function openInferenceRoutes() {
  const app = createRouter();
  app.onError((error, c) => answerError(error, c, ({ detail }) => toOpenError(detail)));
  app.use('/v2', needs('classify'));
  app.use('/v2/models/*', needs('classify'));

  mount(app, declare('/v2', 'openInferenceServer', 'Name and extensions', serverSchema), (c) =>
    c.json(toServerMetadata('resnet-edge', '1')),
  );
  mount(
    app,
    declare('/v2/health/live', 'openInferenceLive', 'Whether the server runs', serverLiveSchema),
    (c) => c.json({ live: true }),
  );
  mount(
    app,
    declare('/v2/health/ready', 'openInferenceReady', 'Whether the default model answers', serverReadySchema),
    async (c) => {
      const { access, catalog, classifier } = c.get('options');
      access.assertConfigured();
      const context = { keepAlive: c.get('keepAlive'), deadline: c.get('deadline') };
      await classifier.warm(await catalog.readManifest(undefined), context);
      return c.json({ ready: true });
    },
  );

  for (const [path, suffix] of [
    ['/v2/models/{model}', ''],
    ['/v2/models/{model}/versions/{version}', 'Version'],
  ] as const) {
    mount(
      app,
      declare(path, `openInferenceModel${suffix}`, 'Inputs and outputs of a model', modelMetadataSchema),
      async (c) => {
        const manifest = await readVersion(c);
        return c.json(toModelMetadata(manifest, manifest.runtime));
      },
    );
    mount(
      app,
      declare(`${path}/ready`, `openInferenceModelReady${suffix}`, 'Loads a model', modelReadySchema),
      async (c) => {
        const manifest = await readVersion(c);
        const context = { keepAlive: c.get('keepAlive'), deadline: c.get('deadline') };
        await c.get('options').classifier.warm(manifest, context);
        return c.json({ name: manifest.name, ready: true });
      },
    );
    mount(
      app,
      declare(
        `${path}/config`,
        `openInferenceConfig${suffix}`,
        'Triton’s model configuration',
        modelConfigSchema,
      ),
      async (c) => {
        const manifest = await readVersion(c);
        return c.json(toModelConfig(manifest, manifest.runtime, maxImagesPerRequest));
      },
    );
    mount(
      app,
      declare(
        `${path}/stats`,
        `openInferenceStats${suffix}`,
        'What this isolate has classified',
        statisticsSchema,
      ),
      async (c) => c.json(toModelStats(...(await readCounts(c)))),
    );
    mount(app, declareInfer(`${path}/infer`, `openInferenceInfer${suffix}`), infer);
  }
  return app;
}

async function readVersion(c: Context<HonoEnv>): Promise<ModelManifest> {
  const manifest = await readModel(c, c.req.param('model'));
  const version = c.req.param('version');
  if (version === undefined || version === manifest.version) return manifest;
  throw new CodedError(
    'model_unknown',
    `${manifest.name} has version ${manifest.version} now, not "${version.slice(0, 64)}".`,
  );
}

async function readCounts(c: Context<HonoEnv>): Promise<[ModelManifest, ModelCounts]> {
  const manifest = await readVersion(c);
  const { metrics } = c.get('options');
  const model = toModelLabel(manifest.name);
  const succeeded = metrics.sum('resnet_edge_images_total', { model, outcome: 'ok' });
  return [manifest, { succeeded, failed: metrics.sum('resnet_edge_images_total', { model }) - succeeded }];
}

async function infer(c: Context<HonoEnv>): Promise<Response> {
  const manifest = await readVersion(c);
  const headerLength = c.req.header('inference-header-content-length') ?? null;
  const body = await readBody(c, maxTensorBodyBytes, tensorBodyWeight);
  const request = parseInferRequest(body, headerLength, {
    maxElements: maxTensorElements,
    maxInputs: 1,
  });
  assertOutputs(request, manifest);
  const wantsEmbedding = request.outputs.some(({ name }) => name === embeddingOutput);
  const inputs = toModelInputs(request.inputs, manifest, maxImagesPerRequest);
  const record = c.get('record');
  record.images = inputs.length;

  const { classifier, metrics } = c.get('options');
  const context = {
    keepAlive: c.get('keepAlive'),
    deadline: c.get('deadline'),
    isCancelled: c.get('isCancelled'),
    caller: toKnownCaller(c),
  };
  const rows: InferredRow[] = [];
  for (const input of inputs) {
    const format = input.kind === 'tensor' ? 'tensor' : 'unknown';
    const count = (outcome: string) =>
      metrics.add('resnet_edge_images_total', { model: toModelLabel(manifest.name), format, outcome });
    if (rows.length > 0) await yieldToOthers();
    try {
      rows.push(await classifier.infer(input, manifest, context, { embedding: wantsEmbedding }));
      count('ok');
    } catch (error) {
      count(error instanceof CodedError ? error.code : 'internal');
      throw error;
    }
  }

  const wanted = request.outputs.length > 0 ? request.outputs : [{ name: manifest.output.name }];
  const outputs = await Promise.all(
    wanted.map(async (output: Partial<RequestedOutput> & { readonly name: string }) => ({
      tensor: await toTensor(c, output, rows, manifest),
      binary: output.binary ?? request.binaryOutput,
    })),
  );
  const response = formatInferResponse({
    modelName: manifest.name,
    modelVersion: manifest.version,
    id: request.id,
    outputs,
  });
  return new Response(response.body, { headers: response.headers });
}

async function toTensor(
  c: Context<HonoEnv>,
  { name, classification }: Pick<Partial<RequestedOutput>, 'classification'> & { readonly name: string },
  rows: readonly InferredRow[],
  manifest: ModelManifest,
): Promise<OpenTensor> {
  if (name === embeddingOutput) {
    const vectors = rows.map(({ embedding }) => embedding ?? new Float32Array());
    return toFp32(name, vectors, vectors[0]?.length ?? 0);
  }
  const scores = rows.map(({ output }) => output);
  if (classification === undefined) return toFp32(name, scores, manifest.output.classes);
  const labels = await c.get('options').catalog.readLabels(manifest);
  return toClassificationTensor(name, scores, classification, labels);
}

function toFp32(name: string, rows: readonly Float32Array[], length: number): OpenTensor {
  return { name, shape: [rows.length, length], datatype: 'FP32', data: joinRows(rows, length) };
}

function assertOutputs({ outputs }: InferRequest, manifest: ModelManifest): void {
  const known = listOutputs(manifest);
  const seen = new Set<string>();
  for (const [index, { name }] of outputs.entries()) {
    if (!known.includes(name)) {
      throw tensorError(`outputs[${index}].name`, known.map((one) => `"${one}"`).join(' or '), name);
    }
    if (seen.has(name)) throw tensorError('outputs', 'asked for once', outputs.length);
    seen.add(name);
  }
}

function joinRows(rows: readonly Float32Array[], classes: number): Float32Array {
  const joined = new Float32Array(rows.length * classes);
  for (const [index, row] of rows.entries()) joined.set(row, index * classes);
  return joined;
}
