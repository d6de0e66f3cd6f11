import { CodedError } from '../../errors.ts';

/** One structured line. Never image content, never a secret. `error` may be anything that was thrown. */
export type Log = (level: 'info' | 'error', fields: Readonly<Record<string, unknown>>) => void;

/** One line of JSON on the console: that is the log of a Worker, and of the Node tier. */
export const writeLog: Log = (level, { error, ...rest }) => {
  const line = JSON.stringify({ level, ...rest, ...(error === undefined ? {} : { error: describe(error) }) });
  // biome-ignore lint/suspicious/noConsole: see above.
  console[level](line);
};

export function toCode(error: unknown): string {
  return error instanceof CodedError ? error.code : 'internal';
}

function describe(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  return { message: error.message, stack: error.stack, cause: error.cause && describe(error.cause) };
}
