import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import type { Command } from './command.ts';
import { UsageError } from './usage-error.ts';

/** Exit status of a command line that is wrong. */
export const usageErrorStatus = 2;

/**
 * Parses the command line of one command and runs it. Results go to standard output. Everything else goes to
 * standard error, so that a result can be piped.
 *
 * @param args what follows the command's name.
 * @returns the exit status: 0; 1 if the command failed; 2 if the command line is wrong.
 */
export async function runCommand<O extends ParseArgsOptionsConfig>(
  command: Command<O>,
  args: readonly string[],
): Promise<number> {
  try {
    const { values, positionals } = parse(command, args);
    if ('help' in values && values.help === true) {
      console.log(command.usage);
      return 0;
    }
    assertOperandCount(positionals, command.operands);
    return (await command.run(values, positionals)) ?? 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    if (!(error instanceof UsageError)) return 1;
    console.error(`\n${command.usage.split('\n')[0]}\n--help says more.`);
    return usageErrorStatus;
  }
}

function parse<O extends ParseArgsOptionsConfig>({ options }: Command<O>, args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { ...options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
      strict: true,
    });
  } catch (cause) {
    const [sentence] = String(cause instanceof Error ? cause.message : cause).split('. To specify');
    throw new UsageError(`${sentence}`, { cause });
  }
}

function assertOperandCount(operands: readonly string[], { min, max }: Command['operands']): void {
  const surplus = operands[max];
  if (surplus !== undefined) throw new UsageError(`Unexpected argument "${surplus}".`);
  if (operands.length < min) throw new UsageError('An argument is missing.');
}
