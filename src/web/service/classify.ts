import { callService, type Hold, readAnswer } from './call-service.ts';
import { flag, list, number, optional, type Read, record, text } from './readers.ts';

const readClassification = record({
  model: text,
  model_version: text,
  tier: text,
  image: record({ format: text, width: number, height: number, warnings: optional(list(text)) }),
  predictions: list(record({ label: text, score: number })),
  unknown: optional(flag),
});

export interface Stage {
  readonly name: string;
  readonly milliseconds: number;
}

export interface Answer extends Read<typeof readClassification> {
  /** The answer as it came, for people who want to see it. */
  readonly json: unknown;
  /** Where the time went on the server; empty if the deployment does not tell. */
  readonly stages: readonly Stage[];
  /** From the request to the answer, as this page saw it. */
  readonly roundTripMs: number;
  /** Whether the service remembered the answer and computed nothing. */
  readonly isRemembered: boolean;
}

/** A picture of this machine, or one that the service fetches. */
export type PictureSource =
  | { readonly kind: 'file'; readonly file: Blob }
  | { readonly kind: 'url'; readonly url: string };

export interface ClassifyOptions {
  /** The default model if it is empty. */
  readonly model: string;
  readonly anew?: boolean;
  readonly onHold?: (hold: Hold) => void;
  readonly signal?: AbortSignal;
}

/** @throws {ServiceProblem} */
export async function classify(source: PictureSource, options: ClassifyOptions): Promise<Answer> {
  const { model, ...call } = options;
  const path = `/v1/classify${model ? `?model=${encodeURIComponent(model)}` : ''}`;
  let sentAt = performance.now();
  const onHold = call.onHold;
  const response = await callService(path, {
    ...call,
    method: 'POST',
    body: source.kind === 'file' ? source.file : JSON.stringify({ url: source.url }),
    contentType: source.kind === 'file' ? 'application/octet-stream' : 'application/json',
    ...(onHold && {
      onHold: (hold: Hold) => {
        onHold(hold);
        sentAt = performance.now() + 1000; // what was waited for is not the answer's time
      },
    }),
  });
  const roundTripMs = Math.max(0, performance.now() - sentAt);
  let json: unknown;
  const classification = await readAnswer(response, (value) => {
    json = value;
    return readClassification(value);
  });
  return {
    ...classification,
    json,
    stages: parseServerTiming(response.headers.get('server-timing') ?? ''),
    roundTripMs,
    isRemembered: /;\s*hit\b/.test(response.headers.get('cache-status') ?? ''),
  };
}

/** `decode;dur=12.5, inference;dur=30` */
export function parseServerTiming(header: string): Stage[] {
  return header.split(',').flatMap((entry) => {
    const [, name, duration] = /^\s*([\w-]+);dur=([\d.]+)/.exec(entry) ?? [];
    return name === undefined ? [] : [{ name, milliseconds: Number(duration) }];
  });
}
