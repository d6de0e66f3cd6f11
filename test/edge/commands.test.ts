import { type ChildProcess, spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/cli/paths.ts';
import { goldenPath } from '../golden/golden.ts';
import { freePort } from './edge-process.ts';

/** The commands a newcomer types, as processes. */
const running: ChildProcess[] = [];
const servers: Server[] = [];
afterEach(() => {
  for (const child of running.splice(0)) {
    try {
      // Its group: workerd does not notice that its parent is gone.
      process.kill(-child.pid!, 'SIGKILL');
    } catch {} // nothing is left of it
  }
  for (const server of servers.splice(0)) server.close();
});

function run(args: readonly string[], env: Record<string, string> = {}, input?: Uint8Array) {
  const child = spawn(process.execPath, ['src/cli/main.ts', ...args], {
    cwd: projectRoot,
    env: { ...process.env, ...env },
    detached: true,
  });
  running.push(child);
  const output = { out: '', err: '' };
  child.stdout.on('data', (data) => (output.out += data));
  child.stderr.on('data', (data) => (output.err += data));
  child.stdin.end(input);
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, output, exit };
}

async function serve(content: Uint8Array): Promise<string> {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/cat.jpg' ? 200 : 404).end(content);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

describe('resnet-edge classify', () => {
  const cat = goldenPath('cat.jpg');

  it('takes files, folders, URLs and standard input, and prints one JSON object for each', async () => {
    const photo = await readFile(cat);
    const url = `${await serve(photo)}/cat.jpg`;
    const folder = goldenPath('.');
    const { output, exit } = run(['classify', '--json', '--top-k', '2', cat, folder, url, '-'], {}, photo);
    expect(await exit).toBe(0);
    const answers = output.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const labels = new Map(answers.map(({ file, predictions }) => [file, predictions[0].label]));
    for (const name of [cat, url, '-']) expect(labels.get(name)).toBe('Egyptian cat');
    expect(labels.get(`${folder.replace(/\/$/, '')}/coffee.png`)).toBe('espresso');
    expect(answers.every(({ predictions }) => predictions.length === 2)).toBe(true);
  });

  it('goes on after an image that fails, and fails in the end', async () => {
    const missing = `${await serve(new Uint8Array())}/dog.jpg`;
    const { output, exit } = run(['classify', '--json', goldenPath('logits.json'), missing, cat]);
    expect(await exit).toBe(1);
    const codes = output.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).code);
    expect(codes).toEqual(['image_format_unknown', 'url_unreachable', undefined]);
    expect(output.err).toContain('2 of 3 images failed');
  });

  it('prints a table and succeeds', async () => {
    const { output, exit } = run(['classify', goldenPath('coffee.png')]);
    expect(await exit).toBe(0);
    expect(output.out).toMatch(/^ {2}espresso\s+█+·*\s+0\.\d{4}$/m);
  });

  it('says why a server does not answer, or that it is another one', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const gone = run(['classify', '--url', url, cat]);
    expect(await gone.exit).toBe(1);
    expect(gone.output.err).toContain(`ECONNREFUSED ${new URL(url).host}`);
    const other = run(['classify', '--url', await serve(new Uint8Array()), cat]);
    expect(await other.exit).toBe(1);
    expect(other.output.err).toContain('answered 404, with something else than labels');
  });

  // A service that nobody can start: a refusal that came after the start would have another status.
  const unstartable = { ENGINE_KERNELS: 'none' };
  it.each([
    [['--top-k', '0', cat], '--top-k must be'],
    [['--top-k', '1e1', cat], '--top-k must be'],
    [['--url', 'localhost:8787', cat], '--url must be'],
    [['cta.jpg'], 'There is no file cta.jpg'],
    [[cat, 'cta.jpg'], 'There is no file cta.jpg'],
    [['src/cli'], 'There are no images'],
    [['-', '-'], 'read once only'],
  ])('refuses before it starts anything: %j', async (args, reason) => {
    const { output, exit } = run(['classify', ...args], unstartable);
    expect(await exit).toBe(2);
    expect(output.err).toContain(reason);
    expect(output.err).toContain('Usage:');
  });

  it('has the same inputs and refusals for vectors', async () => {
    const photo = await readFile(cat);
    const { output, exit } = run(['embed', '--json', '--layers', 'all', cat, '-'], {}, photo);
    expect(await exit).toBe(0);
    const [first, second] = output.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(first).toMatchObject({ file: cat, model: 'resnet18-imagenet1k', dimensions: 2432 });
    expect(second).toMatchObject({ file: '-', embedding: first.embedding });
    const refused = run(['embed', '--layers', 'first', cat], unstartable);
    expect(await refused.exit).toBe(2);
    expect(refused.output.err).toContain('--layers must be last or all');
  });

  it('prints JSON alone through npx, and npm run says that it does not', async () => {
    const url = await serve(new Uint8Array());
    const call = (command: string, ...args: string[]) => {
      const child = spawn(command, [...args, '--json', '--url', url, cat], {
        cwd: projectRoot,
        detached: true,
      });
      running.push(child);
      const output = { out: '', err: '' };
      child.stdout.on('data', (data) => (output.out += data));
      child.stderr.on('data', (data) => (output.err += data));
      return new Promise<typeof output>((resolve) => child.on('close', () => resolve(output)));
    };
    const npx = await call('npx', '--no-install', 'resnet-edge', 'classify');
    expect(JSON.parse(npx.out)).toMatchObject({ file: cat, code: 'answer_unusable' });
    const npm = await call('npm', 'run', 'classify', '--');
    expect(npm.out).toContain('> resnet-edge@');
    expect(npm.err).toContain('npx resnet-edge classify --json prints JSON alone');
  });
});

describe('npm start', () => {
  async function untilReady(output: { out: string }, exit: Promise<unknown>): Promise<void> {
    let ended = false;
    void exit.then(() => (ended = true));
    while (!output.out.includes('is ready on') && !ended)
      await new Promise((resolve) => setTimeout(resolve, 50));
  }

  it('says when it is ready, serves as it was told to, tells of each request, and stops on SIGTERM', async () => {
    const port = await freePort();
    const { child, output, exit } = run(['start', '--port', String(port)], { ENGINE_KERNELS: 'plain' });
    await untilReady(output, exit);
    const url = `http://127.0.0.1:${port}`;
    expect(output.out).toContain(`resnet-edge is ready on ${url}`);
    expect(output.out).toContain(`curl --data-binary @test/golden/cat.jpg '${url}/v1/classify?top_k=3'`);
    expect(output.out).toContain(`page ${url}/`);
    // Those that asked whether it is ready are not a person's.
    expect(output.out).not.toContain('GET /v1/health/ready');
    const ask = (path: string, init?: RequestInit) =>
      fetch(`${url}${path}`, { signal: AbortSignal.timeout(10_000), ...init });
    const ready = await ask('/v1/health/ready');
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ runtimes: [{ kernels: 'plain' }] });
    const body = await readFile(goldenPath('cat.jpg'));
    await (await ask('/v1/classify', { method: 'POST', body })).text();
    await (await ask('/v1/nothing/here')).text();
    await expect.poll(() => output.out).toMatch(/^GET \/v1\/nothing\/here {2}404 .* route_not_found$/m);
    expect(output.out).toMatch(/^GET \/v1\/health\/ready {2}200 {2}\d+ ms$/m);
    expect(output.out).toMatch(
      /^POST \/v1\/classify {2}200 {2}\d+ ms {2}resnet18-imagenet1k\/\d+ {2}Egyptian cat$/m,
    );
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    await expect(fetch(`${url}/`, { signal: AbortSignal.timeout(2_000) })).rejects.toThrow('fetch failed');
  });

  it('--quiet: says that it is ready, and no more', async () => {
    const { child, output, exit } = run(['start', '--port', '0', '--quiet']);
    await untilReady(output, exit);
    expect(output.out).toMatch(/^resnet-edge is ready on http:/);
    const url = /ready on (\S+)/.exec(output.out)![1];
    const lines = output.out;
    await (await fetch(`${url}/v1/health/live`, { signal: AbortSignal.timeout(10_000) })).text();
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    expect(output).toEqual({ out: lines, err: '' });
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
      await expect.poll(isServing).toBe(true);
      npm.kill('SIGTERM');
      await expect.poll(isServing).toBe(false);
    } finally {
      try {
        process.kill(-npm.pid!, 'SIGKILL');
      } catch {} // nothing is left of it
    }
  });

  it('says so when a port is taken or wrong', async () => {
    const { port } = new URL(await serve(new Uint8Array()));
    for (const [command, variable] of [
      ['start', 'PORT'],
      ['start:all', 'PORT'],
      ['start:all', 'TIER_PORT'],
    ] as const) {
      const taken = run([command], { PORT: '0', [variable]: port });
      expect(await taken.exit).toBe(1);
      expect(taken.output.err).toContain(`Port ${port} is in use`);
    }
    for (const wrong of [run(['start'], { PORT: 'abc' }), run(['start', '--port', '65536'])]) {
      expect(await wrong.exit).toBe(2);
      expect(wrong.output.err).toMatch(/PORT|--port/);
    }
  });
});

describe('a wrong variable', () => {
  it('ends the start at once, with its name and no second copy of it', async () => {
    const sources = [{ name: 'a', kind: 'github', secrets: ['GIT', 'MISSING'], image_url: '/url' }];
    const env = { PORT: '0', GIT: 'text', WEBHOOK_SOURCES: JSON.stringify(sources) };
    const { output, exit } = run(['start'], env);
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
    const child = spawn(process.execPath, ['-e', old, 'eval', 'any.ts'], { cwd: folder });
    let err = '';
    child.stderr.on('data', (data) => (err += data));
    const code = await new Promise((resolve) => child.on('close', resolve));
    await rm(folder, { recursive: true });
    expect(err).toContain('needs Node 22.18 or later');
    expect(code).toBe(1);
  });
});
