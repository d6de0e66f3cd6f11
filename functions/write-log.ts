import { CodedError } from '../src/errors.ts';

/** One line of JSON: a Worker's console is its log. */
export function writeLog(level: 'info' | 'error', fields: Readonly<Record<string, unknown>>): void {
  const { error, ...rest } = fields;
  const line = JSON.stringify({ level, ...rest, ...(error === undefined ? {} : { error: describe(error) }) });
  // biome-ignore lint/suspicious/noConsole: see above.
  console[level](line);
}

export function toCode(error: unknown): string {
  return error instanceof CodedError ? error.code : 'internal';
}

function describe(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  return { message: error.message, stack: error.stack, cause: error.cause && describe(error.cause) };
}
