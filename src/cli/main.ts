import type { Command, CommandGroup } from './command-line/command.ts';
import { runCommand, usageErrorStatus } from './command-line/run-command.ts';

/**
 * `resnet-edge COMMAND ...`, behind each npm script and `npx resnet-edge`. A command has the name of its npm script.
 * It is imported when it is called: some take more than a second.
 */
const commands: Readonly<Record<string, () => Promise<Command | CommandGroup>>> = {
  start: async () => (await import('./local/start.ts')).start,
  'start:all': async () => (await import('./local/start-all.ts')).startAll,
  'start:batch': async () => (await import('./local/start-batch.ts')).startBatch,
  classify: async () => (await import('./classify/classify.ts')).classify,
  keys: async () => (await import('./keys.ts')).keys,
  models: async () => (await import('./models/models.ts')).models,
  'deploy:setup': async () => (await import('./deploy/deploy-setup.ts')).deploySetup,
  build: async () => (await import('./build/build.ts')).build,
  'build:web': async () => (await import('./build/build.ts')).buildPages,
  'build:package': async () => (await import('./build/build-package.ts')).buildPackage,
  'check:bundle': async () => (await import('./build/check-bundle.ts')).checkBundle,
  kernels: async () => (await import('./build/build-kernels.ts')).buildKernels,
  'assets:verify': async () => (await import('./assets-verify.ts')).assetsVerify,
};

const [name, ...args] = process.argv.slice(2);
const status = await main(name, args);
// A server has no status yet: it goes on.
if (status !== undefined) process.exit(status);

async function main(command: string | undefined, rest: readonly string[]): Promise<number | undefined> {
  if (command === undefined || command === '--help' || command === '-h') {
    const usage = await toUsage();
    if (command !== undefined) console.log(usage);
    else console.error(usage);
    return command === undefined ? usageErrorStatus : 0;
  }
  const load = Object.hasOwn(commands, command) ? commands[command] : undefined;
  if (load === undefined) {
    console.error(`There is no command "${command}".\n\nUsage: resnet-edge COMMAND\n--help says more.`);
    return usageErrorStatus;
  }
  return await runCommand(await load(), rest);
}

async function toUsage(): Promise<string> {
  const lines = await Promise.all(
    Object.entries(commands).map(
      async ([command, load]) => `  ${command.padEnd(14)} ${(await load()).summary}`,
    ),
  );
  return `Usage: resnet-edge COMMAND [options]\n\n${lines.join('\n')}\n\nresnet-edge COMMAND --help says more.`;
}
