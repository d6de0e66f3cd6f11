import { parseArgs } from 'node:util';
import type { Command, CommandGroup } from './command.ts';
import { UsageError } from './usage-error.ts';

/** Exit status of a command line that is wrong. */
export const usageErrorStatus = 2;

/**
 * Parses a command line and runs its command. Results go to standard output. Everything else goes to standard error,
 * so that a result can be piped.
 *
 * @param args what follows the command's name.
 * @returns the exit status: 0; 1 if the command failed; 2 if the command line is wrong; undefined for a server.
 */
export async function runCommand(
  command: Command | CommandGroup,
  args: readonly string[],
): Promise<number | undefined> {
  try {
    return 'commands' in command ? await runOneOf(command, args) : await parseAndRun(command, args);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    if (!(error instanceof UsageError)) return 1;
    console.error(`\n${command.usage.split('\n')[0]}\n--help says more.`);
    return usageErrorStatus;
  }
}

async function runOneOf(
  group: CommandGroup,
  [name, ...args]: readonly string[],
): Promise<number | undefined> {
  if (name === '--help' || name === '-h') {
    console.log(group.usage);
    return 0;
  }
  if (name === undefined) throw new UsageError('Name a command.');
  const command = Object.hasOwn(group.commands, name) ? group.commands[name] : undefined;
  if (!command) throw new UsageError(`There is no command "${name}".`);
  return await runCommand(command, args);
}

async function parseAndRun(command: Command, args: readonly string[]): Promise<number | undefined> {
  const { values, positionals } = parse(command, args);
  const { help, ...own } = values;
  if (help === true) {
    console.log(command.usage);
    return 0;
  }
  const { min, max } = command.operands;
  const surplus = positionals[max];
  if (surplus !== undefined) throw new UsageError(`Unexpected argument "${surplus}".`);
  if (positionals.length < min) throw new UsageError('An argument is missing.');
  return await command.run(own, positionals);
}

function parse({ options }: Command, args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { ...options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
      strict: true,
    });
  } catch (cause) {
    // Drops the advice at the end of node:util's message, which is about node:util.
    const [sentence] = String(cause instanceof Error ? cause.message : cause).split('. To specify');
    throw new UsageError(`${sentence}`, { cause });
  }
}
