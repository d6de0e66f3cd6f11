import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import { UsageError } from '../command-line/usage-error.ts';
import { createApiKey } from '../create-api-key.ts';
import { callWrangler, WranglerError } from './call-wrangler.ts';

/** Secrets to be uploaded with the Worker. */
export interface Secrets {
  readonly values: Readonly<Record<string, string>>;
  /** The first API key, if this run makes it: it is shown once. */
  readonly apiKey: string | undefined;
}

const firstKeyScopes = ['classify', 'batch', 'admin'];

/**
 * Values for the secrets that the deployment does not have yet: the first API key and the key of upload tokens.
 *
 * @param present names of the secrets that it has; their values cannot be read back.
 * @param given the person's own; they win.
 */
export async function createSecrets(
  present: ReadonlySet<string>,
  given: Readonly<Record<string, string>>,
): Promise<Secrets> {
  const values: Record<string, string> = {};
  let apiKey: string | undefined;
  if (!present.has('API_KEYS') && given['API_KEYS'] === undefined) {
    const { key, row } = await createApiKey('first', firstKeyScopes);
    values['API_KEYS'] = JSON.stringify([row]);
    apiKey = key;
  }
  if (!present.has('UPLOAD_TOKEN_SECRET'))
    values['UPLOAD_TOKEN_SECRET'] = randomBytes(32).toString('base64url');
  return { values: { ...values, ...given }, apiKey };
}

const secretsSchema = z.record(z.string(), z.string());

/**
 * Reads a person's file of secrets: a JSON object of strings, or lines NAME=VALUE.
 *
 * @throws {UsageError}
 */
export async function readSecretsFile(path: string): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new UsageError(`The file of secrets cannot be read: ${path}`, { cause });
  });
  const parsed = text.trimStart().startsWith('{') ? parseJson(text) : parseEnv(text);
  const { success, data } = secretsSchema.safeParse(parsed);
  if (success && Object.keys(data).length > 0) return data;
  throw new UsageError(`The file of secrets must be a JSON object of strings or lines NAME=VALUE: ${path}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const secretNamesSchema = z.array(z.object({ name: z.string() }));

/** Names of the secrets of a Worker; none if it was never deployed. @param selection wrangler's options. */
export async function listSecretNames(selection: readonly string[]): Promise<ReadonlySet<string>> {
  try {
    const { stdout } = await callWrangler(['secret', 'list', '--format', 'json', ...selection]);
    return new Set(secretNamesSchema.parse(JSON.parse(stdout)).map(({ name }) => name));
  } catch (error) {
    if (error instanceof WranglerError && /Worker ".*"( \(env: .*\))? not found/.test(error.output)) {
      return new Set();
    }
    throw error;
  }
}

/**
 * Hands secrets over in a file that only this user can read, for as long as `use` takes. They stand on no command line
 * and in no environment, where other processes could see them.
 */
export async function withSecretsFile<T>(
  values: Readonly<Record<string, string>>,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'resnet-edge-'));
  try {
    await chmod(folder, 0o700);
    const path = join(folder, 'secrets.json');
    await writeFile(path, JSON.stringify(values), { mode: 0o600 });
    return await use(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}
