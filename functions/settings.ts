import { z } from 'zod';
import { parseKernelChoice } from '../src/engine/choose-kernels.ts';
import { parseApiKeys, scopes } from '../src/http/access/api-keys.ts';
import { list, number, parseVariables } from './variables.ts';

const onOff = z.enum(['on', 'off']).transform((value) => value === 'on');
const seconds = number.pipe(z.number().min(0).max(31_536_000));

/** Variables and secrets of a deployment; docs/operate.md says what each is for. */
const settingsSchema = z.object({
  PUBLIC_SCOPES: list.pipe(z.array(z.enum(scopes))),
  API_KEYS: z.string().optional(),
  UPLOAD_TOKEN_SECRET: z.string().min(32, 'at least 32 characters').optional(),
  SERVER_TIMING: onOff.default(true),
  LOG_ANSWERS: onOff.default(false),
  CATALOG_TTL_SECONDS: seconds.default(30),
  ANSWER_CACHE_SECONDS: seconds.default(86_400),
  ANSWER_CACHE_SHARED: onOff.default(false),
  CORS_ORIGINS: list,
  LOOPBACK_ONLY: onOff.default(false),
  IMAGE_URL_ALLOW: list,
  RATE_LIMIT_REQUESTS: number.pipe(z.int().min(0)).default(600),
  RATE_LIMIT_PERIOD_SECONDS: number.pipe(z.int().positive()).default(60),
  ENGINE_KERNELS: z.string().default('auto').transform(parseKernelChoice),
  MODEL_ALIASES: z
    .string()
    .default('{}')
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: 'not JSON' });
        return z.NEVER;
      }
    })
    .pipe(z.record(z.string(), z.string())),
});

export type Settings = ReturnType<typeof parseSettings>;

/** @throws {CodedError} `configuration_invalid`. */
export function parseSettings(env: object) {
  const settings = parseVariables(settingsSchema, env);
  return {
    access: {
      apiKeys: settings.API_KEYS === undefined ? [] : parseApiKeys(settings.API_KEYS),
      publicScopes: settings.PUBLIC_SCOPES,
      uploadTokenSecret: settings.UPLOAD_TOKEN_SECRET,
    },
    serverTiming: settings.SERVER_TIMING,
    logAnswers: settings.LOG_ANSWERS,
    catalogTtlMs: settings.CATALOG_TTL_SECONDS * 1000,
    answerCacheSeconds: settings.ANSWER_CACHE_SECONDS,
    sharesAnswers: settings.ANSWER_CACHE_SHARED,
    corsOrigins: settings.CORS_ORIGINS,
    loopbackOnly: settings.LOOPBACK_ONLY,
    imageUrlAllow: settings.IMAGE_URL_ALLOW,
    rateLimit: { requests: settings.RATE_LIMIT_REQUESTS, periodSeconds: settings.RATE_LIMIT_PERIOD_SECONDS },
    engineKernels: settings.ENGINE_KERNELS,
    modelAliases: new Map(Object.entries(settings.MODEL_ALIASES)),
  };
}
