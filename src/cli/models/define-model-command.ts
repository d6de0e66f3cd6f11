import type { ParseArgsOptionsConfig } from 'node:util';
import { type Command, defineCommand, type OptionValues } from '../command-line/command.ts';
import { UsageError } from '../command-line/usage-error.ts';
import { toText } from './to-text.ts';

const json = { json: { type: 'boolean', default: false } } as const;

export interface ModelCommand extends Command {
  /** What it does, in one line without a full stop. */
  readonly summary: string;
}

/** A command of `npm run models`: its result is printed as text, or with `--json` as one line of JSON. */
export function defineModelCommand<const O extends ParseArgsOptionsConfig>(command: {
  readonly summary: string;
  /** Operands and options as they are typed; what the options are for, a line each. */
  readonly synopsis: string;
  readonly notes?: string;
  readonly options: O;
  readonly operands: Command['operands'];
  run(values: OptionValues<O>, operands: readonly string[]): Promise<unknown>;
}): ModelCommand {
  const { summary, synopsis, notes, options, operands, run } = command;
  const own = defineCommand({
    usage: `Usage: npm run models -- ${synopsis} [--json]\n\n${sentence(summary)}${notes ? `\n\n${notes}` : ''}`,
    options: { ...options, ...json },
    operands,
    async run(values, given) {
      // The values were parsed by `options`, with `--json` beside them, which TypeScript cannot follow here.
      const result = await run(values as unknown as OptionValues<O>, given);
      console.log((values as { json: boolean }).json ? JSON.stringify(result) : toText(result));
      return 0;
    },
  });
  return { ...own, summary };
}

/** @throws {UsageError} */
export function oneOf<T extends string>(value: string, allowed: readonly T[], option: string): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found) return found;
  throw new UsageError(`${option} must be ${allowed.join(', ')}, got "${value}".`);
}

/** @throws {UsageError} */
export function required(value: string | undefined, what: string): string {
  if (value === undefined) throw new UsageError(`${what} is missing.`);
  return value;
}

/**
 * A whole number above 0.
 *
 * @throws {UsageError}
 */
export function toCount(value: string, option: string): number {
  if (/^\d{1,9}$/.test(value) && Number(value) > 0) return Number(value);
  throw new UsageError(`${option} must be a whole number above 0, got "${value}".`);
}

const sentence = (summary: string) => `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
