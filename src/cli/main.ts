import { runCommand, usageErrorStatus } from './command-line/run-command.ts';
import { commands } from './commands.ts';

/** The program behind each npm script and `npx resnet-edge`. */
const usage = `Usage: resnet-edge COMMAND [options]

${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(14)} ${summary}`)
  .join('\n')}

resnet-edge COMMAND --help says more.`;

const [name, ...args] = process.argv.slice(2);
const status = await main(name, args);
// A server has no status yet: it goes on.
if (status !== undefined) process.exit(status);

async function main(command: string | undefined, rest: readonly string[]): Promise<number | undefined> {
  if (command === '--help' || command === '-h') {
    console.log(usage);
    return 0;
  }
  const entry = command !== undefined && Object.hasOwn(commands, command) ? commands[command] : undefined;
  if (entry) return await runCommand(await entry.load(), rest);
  console.error(command === undefined ? usage : `There is no command "${command}".\n\n${usage}`);
  return usageErrorStatus;
}
