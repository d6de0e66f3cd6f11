import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

const options = {
  json: { type: 'boolean', default: false },
  name: { type: 'string' },
  labels: { type: 'string' },
  preprocess: { type: 'string', default: 'torchvision-v1' },
  licence: { type: 'string', default: 'unknown' },
  source: { type: 'string' },
  mirror: { type: 'string' },
  sources: { type: 'string' },
  'no-compile': { type: 'boolean', default: false },
  calibration: { type: 'string' },
  method: { type: 'string', default: 'percentile' },
  percentile: { type: 'string' },
  limit: { type: 'string' },
  local: { type: 'boolean', default: false },
  remote: { type: 'boolean', default: false },
  'kv-namespace-id': { type: 'string' },
  default: { type: 'boolean', default: false },
  engine: { type: 'string', default: 'edge' },
  against: { type: 'string' },
  rounds: { type: 'string', default: '15' },
  runtime: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export type Values = ReturnType<typeof parseCommandLine>['values'];

/** @throws {Error} whose message is for the person at the terminal, like all of this. */
export function parseCommandLine(args: string[]) {
  const parsed = parseArgs({ args, options, allowPositionals: true });
  for (const option of ['limit', 'rounds'] as const) assertCount(parsed.values[option], `--${option}`);
  return parsed;
}

/** npm runs scripts in the project's folder; a relative path means the folder the person is in. */
export const toPath = (path: string) => resolve(process.env['INIT_CWD'] ?? process.cwd(), path);

export function required(value: string | undefined, what: string): string {
  if (value === undefined) throw new Error(`${what} is missing: npm run models -- --help`);
  return value;
}

export function oneOf<T extends string>(value: string, allowed: readonly T[], option: string): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found) return found;
  throw new Error(`${option} must be ${allowed.join(', ')}, got "${value}".`);
}

export function limit<T>(items: readonly T[], values: Values): readonly T[] {
  return values.limit === undefined ? items : items.slice(0, Number(values.limit));
}

function assertCount(value: string | undefined, option: string): void {
  if (value === undefined || (Number.isSafeInteger(Number(value)) && Number(value) > 0)) return;
  throw new Error(`${option} must be a whole number above 0, got "${value}".`);
}
