import { z } from 'zod';
import { parseVariables, positive } from './variables.ts';

/** docs/batches-and-webhooks.md says what each is for. */
const settingsSchema = z.object({
  NODE_TIER_URL: z.url().optional(),
  NODE_TIER_SECRET: z.string().default(''),
  NODE_TIER_SYNC: z.enum(['on', 'off']).default('on'),
  NODE_TIER_CONNECT_MS: positive.optional(),
  NODE_TIER_SILENCE_MS: positive.optional(),
});

/**
 * Reads the Node tier's address, for batches and for single requests that are too large for an isolate.
 *
 * @throws {CodedError} `configuration_invalid`.
 */
export function parseTierSettings(env: object) {
  const settings = parseVariables(settingsSchema, env);
  const { NODE_TIER_URL: url, NODE_TIER_CONNECT_MS: connectMs, NODE_TIER_SILENCE_MS: silenceMs } = settings;
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
  };
}
