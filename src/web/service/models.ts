import { callService, type Hold, readAnswer } from './call-service.ts';
import { isUploadToken, readCredential } from './credential.ts';
import { flag, list, number, optional, type Read, record, text } from './readers.ts';
import { ServiceProblem } from './service-problem.ts';

const readModels = record({ models: list(record({ name: text, version: text, default: flag })) });
export type ModelSummary = Read<typeof readModels>['models'][number];

const readCard = record({
  name: text,
  version: text,
  description: optional(text),
  runtime: text,
  datatype: text,
  files: list(record({ kind: text, bytes: number })),
  output: record({ classes: number }),
  preprocess: record({ resize_shortest_edge: number, center_crop: number }),
  licence: text,
  accuracy: list(record({ dataset: text, count: number, top1: number, top5: number })),
  tier: text,
});
export type ModelCard = Read<typeof readCard>;

/** @throws {ServiceProblem} */
export async function listModels(onHold?: (hold: Hold) => void): Promise<readonly ModelSummary[]> {
  try {
    return (await readAnswer(await callService('/v1/models', onHold ? { onHold } : {}), readModels)).models;
  } catch (cause) {
    if (await isTokenOfThisPage(cause)) return [];
    throw cause;
  }
}

/** @throws {ServiceProblem} */
export async function readModelCard(name: string): Promise<ModelCard> {
  return await readAnswer(await callService(`/v1/models/${encodeURIComponent(name)}`), readCard);
}

/**
 * An upload token may be bound to this page's origin. Browsers send the origin with POST and not with GET, so such a
 * token classifies, although it cannot list models: a POST without a picture tells.
 */
async function isTokenOfThisPage(cause: unknown): Promise<boolean> {
  if (!(cause instanceof ServiceProblem) || cause.code !== 'credential_invalid') return false;
  if (!isUploadToken(readCredential())) return false;
  try {
    await callService('/v1/classify', { method: 'POST', body: new Blob() });
    return true;
  } catch (refusal) {
    return refusal instanceof ServiceProblem && refusal.code === 'body_empty';
  }
}
