import { z } from 'zod';
import { parseWebhookSecret } from '../src/jobs/webhook/standard-webhook.ts';
import { parseWebhookSources } from '../src/jobs/webhook/webhook-source.ts';
import { maxPendingItems } from '../src/limits.ts';
import { invalidVariable, list, number, parseVariables, positive } from './variables.ts';

/** The first delay of a retry through a queue. */
export const retryBaseSeconds = number.pipe(z.number().min(0).max(600)).default(5);

/** Variables and secrets of batches and webhooks; docs/batches-and-webhooks.md says what each is for. */
const settingsSchema = z.object({
  BATCH_MAX_PENDING_ITEMS: positive.default(maxPendingItems),
  BATCH_RETENTION_HOURS: positive.default(72),
  BATCH_STALL_SECONDS: positive.default(3600),
  BATCH_RETRY_BASE_SECONDS: retryBaseSeconds,
  WEBHOOK_SECRETS: list,
  WEBHOOK_URL_ALLOW: list,
  WEBHOOK_SOURCES: z.string().optional(),
  WEBHOOK_RETRY_SECONDS: positive.optional(),
});

/** Attempts with a fixed step, which replaces the specification's schedule. */
const maxFixedAttempts = 10;

/** @throws {CodedError} `configuration_invalid`. */
export function parseBatchSettings(env: object) {
  const settings = parseVariables(settingsSchema, env);
  const step = settings.WEBHOOK_RETRY_SECONDS;
  return {
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
    throw invalidVariable(name, cause instanceof Error ? cause.message : 'unknown', cause);
  }
}
