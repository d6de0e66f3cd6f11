import { type Context, Hono } from 'hono';
import { CodedError } from '../errors.ts';
import { toProblem } from '../http/problem.ts';
import { readBytes } from '../http/read-bytes.ts';
import { maxTierItems, maxTierTensorBytes } from '../limits.ts';
import { toClassificationTensor } from '../open-inference/classification.ts';
import { type InferRequest, parseInferRequest } from '../open-inference/infer-request.ts';
import { formatInferResponse } from '../open-inference/infer-response.ts';
import { toModelMetadata, toOpenError, toServerMetadata } from '../open-inference/metadata.ts';
import { toModelInputs } from '../open-inference/model-inputs.ts';
import { type OpenTensor, tensorError } from '../open-inference/tensor.ts';
import type { TierModel } from './tier-model.ts';
import type { TierServices } from './tier-services.ts';

/** The Open Inference Protocol v2 on the tier, below /v2. */
export function openInferenceRoutes({ models, classifier }: TierServices): Hono {
  const find = (c: Context) => models.get(c.req.param('model'), c.req.param('version'));
  const app = new Hono();
  app.onError((error, c) => {
    const problem = toProblem(error);
    if (error instanceof CodedError && error.retryAfterSeconds !== undefined) {
      c.header('retry-after', String(error.retryAfterSeconds));
    }
    // The protocol's one member, and those by which the edge knows what it was.
    return c.json({ ...problem, ...toOpenError(problem.detail) }, problem.status as 400);
  });
  app.get('/', (c) => c.json(toServerMetadata('resnet-edge-tier', '1')));
  app.get('/health/live', (c) => c.json({ live: true }));
  app.get('/health/ready', async (c) => {
    await models.get(undefined);
    return c.json({ ready: !classifier.draining }, classifier.draining ? 503 : 200);
  });
  for (const path of ['/models/:model', '/models/:model/versions/:version']) {
    app.get(path, async (c) => {
      const { manifest, provider } = await find(c);
      return c.json(toModelMetadata(manifest, provider));
    });
    app.get(`${path}/ready`, async (c) => {
      const { manifest } = await find(c);
      return c.json({ name: manifest.name, ready: true });
    });
    app.post(`${path}/infer`, async (c) => {
      const body = await readBytes(c.req.raw, maxTierTensorBytes);
      const request = parseInferRequest(body, c.req.header('inference-header-content-length') ?? null, {
        maxElements: maxTierTensorBytes / Float32Array.BYTES_PER_ELEMENT,
        maxInputs: 1,
      });
      const model = await find(c);
      const { manifest } = model;
      const inputs = toModelInputs(request.inputs, manifest, maxTierItems);
      const release = classifier.admit(inputs.length);
      try {
        const rows = await Promise.all(
          inputs.map(async (input) =>
            model.run(
              input.kind === 'tensor'
                ? input.tensor.data
                : (await classifier.decode(input.bytes, model)).tensor,
            ),
          ),
        );
        const outputs = toOutputs(request, rows, model);
        const { headers, body: answer } = formatInferResponse({
          modelName: manifest.name,
          modelVersion: manifest.version,
          id: request.id,
          outputs,
        });
        return c.body(answer, 200, headers);
      } finally {
        release();
      }
    });
  }
  return app;
}

function toOutputs(
  { outputs: wanted, binaryOutput }: InferRequest,
  rows: readonly Float32Array[],
  { manifest, labels }: TierModel,
) {
  const { name, classes } = manifest.output;
  const requested = wanted.length > 0 ? wanted : [{ name, classification: undefined, binary: binaryOutput }];
  return requested.map((output) => {
    if (output.name !== name) throw tensorError('outputs[0].name', `"${name}"`, output.name);
    if (output.classification !== undefined) {
      return {
        tensor: toClassificationTensor(name, rows, output.classification, labels),
        binary: output.binary,
      };
    }
    const data = new Float32Array(rows.length * classes);
    for (const [row, scores] of rows.entries()) data.set(scores, row * classes);
    const tensor: OpenTensor = { name, shape: [rows.length, classes], datatype: 'FP32', data };
    return { tensor, binary: output.binary };
  });
}
