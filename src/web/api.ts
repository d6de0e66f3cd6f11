export interface Prediction {
  readonly label: string;
  readonly score: number;
}

export interface Timing {
  readonly name: string;
  readonly milliseconds: number;
}

export interface Answer {
  readonly model: string;
  readonly predictions: readonly Prediction[];
  readonly timings: readonly Timing[];
}

/** What the API said was wrong, in words for a person. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

export async function listModels(key: string): Promise<readonly { name: string; default: boolean }[]> {
  const response = await call('/v1/models', { headers: toHeaders(key) });
  return ((await response.json()) as { models: { name: string; default: boolean }[] }).models;
}

export async function classify(file: Blob, model: string, key: string): Promise<Answer> {
  const query = model ? `?model=${encodeURIComponent(model)}` : '';
  const headers = { ...toHeaders(key), 'content-type': 'application/octet-stream' };
  const response = await call(`/v1/classify${query}`, { method: 'POST', body: file, headers });
  const body = (await response.json()) as Pick<Answer, 'model' | 'predictions'>;
  return { ...body, timings: parseServerTiming(response.headers.get('server-timing') ?? '') };
}

async function call(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, { ...init, signal: AbortSignal.timeout(60_000) }).catch(() => {
    throw new ApiProblem(0, 'The service cannot be reached. Is the network there?');
  });
  if (response.ok) return response;
  const problem = (await response.json().catch(() => ({}))) as { detail?: string };
  throw new ApiProblem(response.status, problem.detail ?? `The service answered with ${response.status}.`);
}

function toHeaders(key: string): Record<string, string> {
  return key ? { authorization: `Bearer ${key}` } : {};
}

/** `decode;dur=12.5, inference;dur=30` */
function parseServerTiming(header: string): Timing[] {
  return header.split(',').flatMap((entry) => {
    const [, name, duration] = /^\s*([\w-]+);dur=([\d.]+)/.exec(entry) ?? [];
    return name === undefined ? [] : [{ name, milliseconds: Number(duration) }];
  });
}
