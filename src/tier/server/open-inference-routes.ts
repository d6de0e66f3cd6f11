import { type Context, Hono } from 'hono';
import { defaultChoice } from '../../classify/choice.ts';
import { Gate } from '../../classify/gate.ts';
import { CodedError } from '../../errors.ts';
import { readBytes } from '../../lib/net/read-bytes.ts';
import {
  defaultWaitMs,
  maxTierBodiesBytes,
  maxTierHoldMs,
  maxTierItems,
  maxTierJsonBytes,
  maxTierTensorBytes,
  maxWaitingRequests,
} from '../../limits.ts';
import { toProblem } from '../../problem.ts';
import { toClassificationTensor } from '../../protocol/open-inference/classification.ts';
import { type InferRequest, parseInferRequest } from '../../protocol/open-inference/infer-request.ts';
import { formatInferResponse } from '../../protocol/open-inference/infer-response.ts';
import { toModelMetadata, toOpenError, toServerMetadata } from '../../protocol/open-inference/metadata.ts';
import { toModelInputs } from '../../protocol/open-inference/model-inputs.ts';
import { type OpenTensor, tensorError } from '../../protocol/open-inference/tensor.ts';
import { BodyPool } from './body-pool.ts';
import type { TierNetwork } from './tier-model.ts';
import type { TierServices } from './tier-services.ts';

/** The Open Inference Protocol v2 on the tier, below /v2. */
export function openInferenceRoutes(services: TierServices): Hono {
  const { models, classifier, log } = services;
  const find = (c: Context) => findModel(c, services);
  const bodies = new BodyPool();
  const room = new Gate({
    capacity: maxTierBodiesBytes,
    maxWaiting: maxWaitingRequests,
    maxHoldMs: maxTierHoldMs,
  });
  const app = new Hono();
  app.onError((error, c) => {
    const problem = toProblem(error);
    if (problem.status >= 500) log('error', { event: 'request_failed', path: c.req.path, error });
    if (error instanceof CodedError && error.retryAfterSeconds !== undefined) {
      c.header('retry-after', String(error.retryAfterSeconds));
    }
    // The protocol's only member, `error`, and the members of a problem, which the edge reads.
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
      return c.json(toModelMetadata(manifest, provider, [manifest.output.name]));
    });
    app.get(`${path}/ready`, async (c) => {
      const { manifest } = await find(c);
      return c.json({ name: manifest.name, ready: true });
    });
    app.post(`${path}/infer`, async (c) => {
      const body = await readBody(c, bodies, room);
      try {
        return c.body(...(await infer(c, body.bytes, services)));
      } finally {
        body.release();
      }
    });
  }
  return app;
}

const findModel = (c: Context, { models }: TierServices) =>
  models.get(c.req.param('model'), c.req.param('version'));

/** Waits until there is room for the body, and reads it so that the tensor behind its JSON begins where an FP32 view can. */
async function readBody(c: Context, bodies: BodyPool, room: Gate) {
  const jsonBytes = Number(c.req.header('inference-header-content-length') ?? 0);
  const padding = Number.isInteger(jsonBytes) ? (4 - (jsonBytes % 4)) % 4 : 0;
  const length = Number(c.req.header('content-length'));
  const { signal } = c.req.raw;
  const leave = await room.enter(length >= 1 && length <= maxTierTensorBytes ? length : maxTierTensorBytes, {
    deadline: Date.now() + defaultWaitMs,
    isCancelled: () => signal.aborted,
  });
  let pooled: ArrayBuffer | undefined;
  const release = () => {
    if (pooled) bodies.give(pooled);
    leave();
  };
  try {
    const bytes = await readBytes(c.req.raw, maxTierTensorBytes, {
      allocate(declared) {
        pooled = bodies.take(padding + declared);
        return new Uint8Array(pooled, padding, declared);
      },
    });
    return { bytes, release };
  } catch (error) {
    release();
    throw error;
  }
}

async function infer(
  c: Context,
  body: Uint8Array,
  services: TierServices,
): Promise<[Uint8Array<ArrayBuffer>, 200, Record<string, string>]> {
  const { classifier } = services;
  const header = c.req.header('inference-header-content-length') ?? null;
  if (Number(header ?? body.length) > maxTierJsonBytes) {
    throw new CodedError('body_too_large', `JSON may have ${maxTierJsonBytes} bytes: send tensors as bytes.`);
  }
  const request = parseInferRequest(body, header, {
    maxElements: maxTierTensorBytes / Float32Array.BYTES_PER_ELEMENT,
    maxInputs: 1,
  });
  const model = await findModel(c, services);
  const { manifest } = model;
  const inputs = toModelInputs(request.inputs, manifest, maxTierItems);
  const admission = classifier.admit(inputs.length);
  try {
    const rows = await allOf(
      inputs.map(async (input) => {
        const { output } = await model.infer(
          input.kind === 'tensor'
            ? input.tensor.data
            : (await classifier.decode(input.bytes, model, defaultChoice, c.req.raw.signal)).tensor,
        );
        return output;
      }),
    );
    const { headers, body: answer } = formatInferResponse({
      modelName: manifest.name,
      modelVersion: manifest.version,
      id: request.id,
      outputs: toOutputs(request, rows, model),
    });
    return [answer, 200, headers];
  } finally {
    admission.release();
  }
}

/** Unlike `Promise.all` it waits for the others when one fails, because they still read the body. */
async function allOf<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return await Promise.all(work);
}

function toOutputs(
  { outputs: wanted, binaryOutput }: InferRequest,
  rows: readonly Float32Array[],
  { manifest, labels }: TierNetwork,
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
