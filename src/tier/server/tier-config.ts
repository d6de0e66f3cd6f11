import { z } from 'zod';
import { formatIssue } from '../../lib/format-issue.ts';

const list = z.string().transform((text) => text.split(/[\s,]+/).filter(Boolean));
const count = (fallback: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,7}$/)
    .transform(Number)
    .pipe(z.int().min(1).max(max))
    .default(fallback);

const schema = z
  .object({
    TIER_HOST: z.string().default('127.0.0.1'),
    TIER_PORT: z
      .string()
      .regex(/^\d{1,5}$/)
      .transform(Number)
      .pipe(z.int().max(65_535))
      .default(8788),
    /** Several, separated by spaces, while one is rotated. */
    TIER_SECRET: list.pipe(z.array(z.string().min(16, 'secrets have at least 16 characters')).min(1)),
    TIER_MODELS_DIR: z
      .string()
      .optional()
      .transform((dir) => dir || undefined),
    TIER_S3_ENDPOINT: z.url().optional(),
    TIER_S3_BUCKET: z.string().optional(),
    TIER_S3_ACCESS_KEY_ID: z.string().optional(),
    TIER_S3_SECRET_ACCESS_KEY: z.string().optional(),
    TIER_PRELOAD: list.default([]),
    TIER_EXECUTION_PROVIDERS: list.pipe(z.array(z.string()).min(1)).default(['cpu']),
    TIER_ALLOW_FALLBACK: z.enum(['yes', 'no']).default('no'),
    TIER_THREADS: count(0, 1024).optional(),
    TIER_DECODE_WORKERS: count(0, 256).optional(),
    TIER_PREFERRED_BATCH_SIZES: z
      .string()
      .regex(/^\d{1,3}([\s,]+\d{1,3})*$/)
      .transform((text) => text.split(/[\s,]+/).map(Number))
      .pipe(z.array(z.int().min(1).max(256)).min(1))
      .default([8, 16]),
    TIER_MAX_QUEUE_DELAY_MS: z.coerce.number().min(0).max(1000).default(5),
    TIER_MAX_QUEUE_ITEMS: count(512, 65_536),
    TIER_DRAIN_SECONDS: count(25, 3600),
    TIER_TLS_CERT: z.string().optional(),
    TIER_TLS_KEY: z.string().optional(),
    /** A client must show a certificate of this authority. */
    TIER_TLS_CLIENT_CA: z.string().optional(),
  })
  .refine(
    (env) => env.TIER_MODELS_DIR !== undefined || env.TIER_S3_ENDPOINT !== undefined,
    'TIER_MODELS_DIR or TIER_S3_ENDPOINT must say where models are',
  )
  .refine(
    (env) =>
      env.TIER_S3_ENDPOINT === undefined ||
      (env.TIER_S3_BUCKET && env.TIER_S3_ACCESS_KEY_ID && env.TIER_S3_SECRET_ACCESS_KEY),
    'TIER_S3_BUCKET, TIER_S3_ACCESS_KEY_ID and TIER_S3_SECRET_ACCESS_KEY belong to TIER_S3_ENDPOINT',
  );

export type TierConfig = z.infer<typeof schema>;

/** @throws {Error} naming every variable that is wrong, never its value. */
export function parseTierConfig(env: Readonly<Record<string, string | undefined>>): TierConfig {
  const parsed = schema.safeParse(env);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${formatIssue(issue, 'configuration')}`);
  throw new Error(`The Node tier cannot start:\n${lines.join('\n')}`);
}
