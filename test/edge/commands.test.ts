import { type ChildProcess, spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/cli/paths.ts';
import { goldenPath } from '../golden/golden.ts';
import { freePort } from './edge-process.ts';

/** The commands a newcomer types, as processes. */
const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

function run(script: string, args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [`src/cli/${script}`, ...args], {
    cwd: projectRoot,
    env: { ...process.env, ...env },
  });
  running.push(child);
  const output = { out: '', err: '' };
  child.stdout.on('data', (data) => (output.out += data));
  child.stderr.on('data', (data) => (output.err += data));
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, output, exit };
}

describe('npm run classify', () => {
  it('prints one JSON object a file, and fails when one of them fails', async () => {
    const { output, exit } = run('classify.ts', [
      '--json',
      '--top-k',
      '2',
      goldenPath('cat.jpg'),
      goldenPath('logits.json'),
    ]);
    expect(await exit).toBe(1);
    const [cat, broken] = output.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(cat).toMatchObject({
      file: goldenPath('cat.jpg'),
      predictions: [{ label: 'Egyptian cat' }, { label: 'tabby' }],
    });
    expect(broken).toMatchObject({ code: 'image_format_unknown' });
    expect(output.err).toContain('1 of 2 files failed');
  });
  it('prints a table and succeeds', async () => {
    const { output, exit } = run('classify.ts', [goldenPath('coffee.png')]);
    expect(await exit).toBe(0);
    expect(output.out).toMatch(/espresso\s+█+·*\s+0\.66\d\d/);
  });
  it('says why a server does not answer', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { output, exit } = run('classify.ts', ['--url', url, goldenPath('cat.jpg')]);
    expect(await exit).toBe(1);
    expect(output.err).toContain(`ECONNREFUSED ${new URL(url).host}`);
  });
  it.each([
    ['--top-k', '0'],
    ['--url', 'localhost:8787'],
  ])('refuses a wrong command line at once, with the usage: %s %s', async (option, value) => {
    const { output, exit } = run('classify.ts', [option, value, 'x.jpg']);
    expect(await exit).toBe(2);
    expect(output.err).toContain('Usage:');
  });
});

describe('npm start', () => {
  it('says when it is ready, serves as it was told to, and stops on SIGTERM', async () => {
    const port = await freePort();
    const { child, output, exit } = run('start.ts', [], { PORT: String(port), ENGINE_KERNELS: 'plain' });
    const deadline = Date.now() + 50_000;
    while (!output.out.includes('ready') && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(output.out.trim().split('\n')).toHaveLength(1);
    expect(output.out).toContain(`http://127.0.0.1:${port}`);
    expect(output.out).toContain('curl ');
    const ready = await fetch(`http://127.0.0.1:${port}/v1/health/ready`, {
      signal: AbortSignal.timeout(10_000),
    });
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ runtimes: [{ kernels: 'plain' }] });
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    await expect(fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(2_000) })).rejects.toThrow(
      'fetch failed',
    );
  });
  it('ends when npm is told to, whose shell does not pass the signal on', async () => {
    const port = await freePort();
    const npm = spawn('npm', ['start'], {
      cwd: projectRoot,
      env: { ...process.env, PORT: String(port) },
      // A group of its own: what stays behind after all is ended with it.
      detached: true,
      stdio: 'ignore',
    });
    const isServing = () =>
      fetch(`http://127.0.0.1:${port}/v1/health/ready`, { signal: AbortSignal.timeout(2_000) }).then(
        ({ ok }) => ok,
        () => false,
      );
    try {
      await expect.poll(isServing, { timeout: 50_000 }).toBe(true);
      npm.kill('SIGTERM');
      await expect.poll(isServing, { timeout: 10_000 }).toBe(false);
    } finally {
      try {
        process.kill(-npm.pid!, 'SIGKILL');
      } catch {} // nothing is left of it
    }
  });
  it('says so when a port is taken or wrong', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    for (const [script, variable] of [
      ['start.ts', 'PORT'],
      ['start-all.ts', 'PORT'],
      ['start-all.ts', 'TIER_PORT'],
    ] as const) {
      const taken = run(script, [], { PORT: '0', [variable]: String(port) });
      expect(await taken.exit).toBe(1);
      expect(taken.output.err).toContain(`Port ${port} is in use`);
    }
    server.close();
    const wrong = run('start.ts', [], { PORT: 'abc' });
    expect(await wrong.exit).toBe(1);
    expect(wrong.output.err).toContain('PORT must be');
  });
});

describe('a wrong variable', () => {
  it('ends the start at once, with its name and no second copy of it', async () => {
    const sources = [{ name: 'a', kind: 'github', secrets: ['GIT', 'MISSING'], image_url: '/url' }];
    const env = { PORT: '0', GIT: 'text', WEBHOOK_SOURCES: JSON.stringify(sources) };
    const { output, exit } = run('start.ts', [], env);
    expect(await exit).toBe(1);
    expect(output.err).toContain(
      'not ready: The variable WEBHOOK_SOURCES is not valid: there is no secret "MISSING".',
    );
  }, 30_000);
});

describe('an old Node', () => {
  it('is told which version is needed, where npm installed no newer one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'resnet-edge-'));
    await mkdir(join(folder, 'src/cli'), { recursive: true });
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    await copyFile(join(projectRoot, 'src/cli/run.js'), join(folder, 'src/cli/run.js'));
    const old = "Object.defineProperty(process.versions,'node',{value:'20.1.0'});import('./src/cli/run.js')";
    const child = spawn(process.execPath, ['-e', old, 'any.ts'], { cwd: folder });
    let err = '';
    child.stderr.on('data', (data) => (err += data));
    const code = await new Promise((resolve) => child.on('close', resolve));
    await rm(folder, { recursive: true });
    expect(err).toContain('needs Node 22.18 or later');
    expect(code).toBe(1);
  });
});
