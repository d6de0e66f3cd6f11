import { z } from 'zod';
import { CodedError } from '../src/errors.ts';
import { maxPendingItems } from '../src/limits.ts';
import { parseWebhookSecret } from '../src/webhook/standard-webhook.ts';
import { parseWebhookSources } from '../src/webhook/webhook-source.ts';

export const list = z
  .string()
  .default('')
  .transform((text) => text.split(/[\s,]+/).filter(Boolean));
const positive = z.coerce.number().positive();

/** Variables and secrets of batches and webhooks; src/batch/README.md says what each is for. */
const settingsSchema = z.object({
  NODE_TIER_URL: z.url().optional(),
  NODE_TIER_SECRET: z.string().default(''),
  NODE_TIER_SYNC: z.enum(['on', 'off']).default('on'),
  NODE_TIER_CONNECT_MS: positive.optional(),
  NODE_TIER_SILENCE_MS: positive.optional(),
  NODE_TIER_MODEL_VERSIONS: list.pipe(z.array(z.string().regex(/^[^/]+\/[^/]+$/, 'name/version expected'))),
  BATCH_MAX_PENDING_ITEMS: positive.default(maxPendingItems),
  BATCH_RETENTION_HOURS: positive.default(72),
  BATCH_STALL_SECONDS: positive.default(3600),
  BATCH_RETRY_BASE_SECONDS: z.coerce.number().min(0).max(600).default(5),
  WEBHOOK_SECRETS: list,
  WEBHOOK_URL_ALLOW: list,
  WEBHOOK_SOURCES: z.string().optional(),
  WEBHOOK_RETRY_SECONDS: positive.optional(),
});

/** Attempts where a fixed step stands in for the specification's schedule. */
const maxFixedAttempts = 10;

export type BatchSettings = ReturnType<typeof parseBatchSettings>;

/** @throws {CodedError} `configuration_invalid`, naming the variable and never showing its value. */
export function parseBatchSettings(env: object) {
  const parsed = settingsSchema.safeParse(env);
  if (!parsed.success) throw invalidVariable(parsed.error);
  const settings = parsed.data;
  const { NODE_TIER_URL: url, NODE_TIER_CONNECT_MS: connectMs, NODE_TIER_SILENCE_MS: silenceMs } = settings;
  const step = settings.WEBHOOK_RETRY_SECONDS;
  return {
    nodeTier: url
      ? {
          url,
          secret: settings.NODE_TIER_SECRET,
          ...(connectMs !== undefined && { connectMs }),
          ...(silenceMs !== undefined && { silenceMs }),
        }
      : undefined,
    delegates: settings.NODE_TIER_SYNC === 'on',
    nodeTierVersions: new Map(
      settings.NODE_TIER_MODEL_VERSIONS.map((text) => text.split('/') as [string, string]),
    ),
    maxPendingItems: settings.BATCH_MAX_PENDING_ITEMS,
    retentionMs: settings.BATCH_RETENTION_HOURS * 3_600_000,
    stallMs: settings.BATCH_STALL_SECONDS * 1000,
    retryBaseSeconds: settings.BATCH_RETRY_BASE_SECONDS,
    webhookUrlAllow: settings.WEBHOOK_URL_ALLOW,
    webhookKeys: parseSafely('WEBHOOK_SECRETS', () => settings.WEBHOOK_SECRETS.map(parseWebhookSecret)),
    sources: parseSafely('WEBHOOK_SOURCES', () =>
      parseWebhookSources(settings.WEBHOOK_SOURCES, (name) => {
        const secret: unknown = (env as Readonly<Record<string, unknown>>)[name];
        return typeof secret === 'string' ? secret : undefined;
      }),
    ),
    nextDeliveryDelay:
      step === undefined ? undefined : (attempts: number) => (attempts < maxFixedAttempts ? step : undefined),
  };
}

function parseSafely<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw invalid(
      `The variable ${name} is not valid: ${cause instanceof Error ? cause.message : 'unknown'}.`,
      cause,
    );
  }
}

export function invalidVariable({ issues: [issue] }: z.ZodError): CodedError {
  return invalid(`The variable ${issue?.path.join('.')} is not valid: ${issue?.message}.`);
}

function invalid(message: string, cause?: unknown): CodedError {
  return new CodedError('configuration_invalid', message, { cause });
}
