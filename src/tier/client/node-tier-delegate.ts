import type { ClassifyChoice } from '../../classify/choice.ts';
import type { ItemResult } from '../../classify/classification.ts';
import type { Delegate } from '../../classify/delegate.ts';
import { CodedError } from '../../errors.ts';
import { readBounded } from '../../lib/net/read-bounded.ts';
import { parseRetryAfter } from '../../lib/retry-schedule.ts';
import { withTimeout } from '../../lib/with-timeout.ts';
import { maxTierAnswerBytes } from '../../limits.ts';
import type { ModelManifest } from '../../model/manifest.ts';
import { isErrorCode } from '../../problem.ts';
import { formatInferCall, readInferAnswer } from '../../protocol/open-inference/infer-call.ts';
import type { ModelInput } from '../../protocol/open-inference/model-inputs.ts';
import type { OpenTensor } from '../../protocol/open-inference/tensor.ts';
import { TierTrouble } from './chunk-runner.ts';
import { createNodeTierRunner, type NodeTierOptions } from './node-tier-runner.ts';

/** The delegate gives up this much before the request's deadline, so that the answer can name the tier as the cause. */
const marginMs = 100;

/** Used if the tier gives no time: long enough for an instance to come back. */
const defaultRetrySeconds = 5;

export type DelegateOptions = Omit<NodeTierOptions, 'connectMs' | 'silenceMs' | 'signal'>;

/**
 * The Node tier as a delegate. An image is sent as a chunk of one, a tensor by the Open Inference Protocol. Nothing is
 * tried twice, because the caller is waiting and can try again.
 */
export function createNodeTierDelegate(tier: DelegateOptions): Delegate {
  const { url, secret, fetch: send = fetch } = tier;
  /** @returns the tier's error if it refuses the image; undefined if the tier itself is in trouble. */
  const toError = (code: unknown, detail: unknown): CodedError | undefined =>
    typeof code === 'string' && code.startsWith('image_') && isErrorCode(code)
      ? new CodedError(code, String(detail))
      : undefined;

  const post = async (manifest: ModelManifest, action: string, deadline: number, init?: RequestInit) => {
    const path = [manifest.name, 'versions', manifest.version, action].map(encodeURIComponent).join('/');
    const response = await send(new URL(`/v2/models/${path}`, url), {
      ...init,
      headers: { ...init?.headers, authorization: `Bearer ${secret}` },
      signal: AbortSignal.timeout(leftMs(deadline)),
      redirect: 'manual',
    });
    if (response.ok) return response;
    const problem = await readProblem(response);
    const retryAfterSeconds = parseRetryAfter(response.headers.get('retry-after'));
    throw (
      toError(problem.code, problem.detail) ??
      new TierTrouble(`status_${response.status}`, `The tier answered ${response.status}.`, {
        ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
      })
    );
  };

  return {
    tier: 'node',
    async classify(bytes, manifest, choice, deadline) {
      const ms = leftMs(deadline);
      const limits = { connectMs: ms, silenceMs: ms, signal: AbortSignal.timeout(ms) };
      const asking = askRunner({ ...tier, ...limits }, bytes, manifest, choice);
      const result = await withTimeout(asking, ms, () => unavailable()).catch((cause: unknown) => {
        throw unavailable(cause);
      });
      if (!result) throw unavailable();
      if (!('problem' in result)) return result;
      throw toError(result.problem.code, result.problem.detail) ?? unavailable();
    },
    async infer(input, manifest, deadline) {
      const { name, classes } = manifest.output;
      try {
        const { headers, body } = formatInferCall(toOpenTensor(input, manifest), name);
        const response = await post(manifest, 'infer', deadline, { method: 'POST', headers, body });
        const answer = await readAnswer(response);
        const headerLength = response.headers.get('inference-header-content-length');
        return readInferAnswer(answer, headerLength, name, [1, classes]);
      } catch (cause) {
        throw cause instanceof CodedError && cause.code.startsWith('image_') ? cause : unavailable(cause);
      }
    },
    async assertReady(manifest, deadline) {
      try {
        await (await post(manifest, 'ready', deadline)).body?.cancel();
      } catch (cause) {
        throw unavailable(cause);
      }
    },
  };
}

function readAnswer(response: Response): Promise<Uint8Array> {
  return readBounded(
    response,
    maxTierAnswerBytes,
    () => new TierTrouble('garbage', `The tier answered with more than ${maxTierAnswerBytes} bytes.`),
  );
}

/** @returns the members of a problem; none of them if the answer is not a problem. */
async function readProblem(
  response: Response,
): Promise<{ readonly code?: unknown; readonly detail?: unknown }> {
  try {
    return Object(JSON.parse(new TextDecoder().decode(await readAnswer(response))));
  } catch {
    return {};
  }
}

function leftMs(deadline: number): number {
  return Math.max(1, deadline - marginMs - Date.now());
}

function unavailable(cause?: unknown): CodedError {
  const { retryAfterSeconds = defaultRetrySeconds } = cause instanceof TierTrouble ? cause : {};
  return new CodedError('batch_tier_unavailable', 'The tier that has this to do does not answer.', {
    cause,
    retryAfterSeconds,
  });
}

async function askRunner(
  options: NodeTierOptions,
  bytes: Uint8Array,
  { name: model, version: modelVersion }: ModelManifest,
  choice: ClassifyChoice,
): Promise<ItemResult | undefined> {
  async function* items() {
    yield { index: 0, bytes };
  }
  const chunk = { ...choice, model, modelVersion };
  for await (const { result } of createNodeTierRunner(options).run(chunk, 1, items())) return result;
  return undefined;
}

function toOpenTensor(input: ModelInput, { input: { name } }: ModelManifest): OpenTensor {
  return input.kind === 'tensor'
    ? { name, shape: input.tensor.shape, datatype: 'FP32', data: input.tensor.data }
    : { name, shape: [1], datatype: 'BYTES', data: [input.bytes] };
}
