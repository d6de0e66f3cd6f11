import type { ParseArgsOptionsConfig, parseArgs } from 'node:util';

/** The option values of a command, as `parseArgs` of node:util gives them. */
export type OptionValues<O extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: O; allowPositionals: true; strict: true }>
>['values'];

/** One command of `resnet-edge`. */
export interface Command<O extends ParseArgsOptionsConfig = ParseArgsOptionsConfig> {
  /** What `--help` prints. The first line begins with "Usage: " and is repeated after a usage error. */
  readonly usage: string;
  readonly options: O;
  /** How many operands it takes; more or fewer are a usage error. */
  readonly operands: { readonly min: number; readonly max: number };
  /**
   * @returns the exit status; undefined for a server, which goes on.
   * @throws {UsageError} if the command line is wrong: status 2. Any other error: status 1.
   */
  run(values: OptionValues<O>, operands: readonly string[]): Promise<number | undefined>;
}

/** A command whose first word names one of several. */
export interface CommandGroup {
  readonly usage: string;
  readonly commands: Readonly<Record<string, Command>>;
}

/** Infers the types of the option values; a table of commands does not need them. */
export function defineCommand<const O extends ParseArgsOptionsConfig>(command: Command<O>): Command {
  // A table of commands forgets their options' types. run-command.ts parses by `options`, so that `run` gets its own.
  return command as unknown as Command;
}
