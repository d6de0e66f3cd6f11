import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, lstat, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/cli/paths.ts';
import { goldenPath } from '../golden/golden.ts';

/**
 * A copy of what git has, without write permission. A process of root may write in spite of permissions: so names,
 * sizes and times of everything in the copy are compared as well. The packages lie beside the copy, where Node looks
 * for them too.
 */
let folder: string;
let checkout: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'read-only-'));
  checkout = join(folder, 'checkout');
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: projectRoot,
    encoding: 'utf8',
  });
  for (const file of listed.split('\0')) {
    if (file === '' || file.startsWith('test/') || !existsSync(join(projectRoot, file))) continue;
    await cp(join(projectRoot, file), join(checkout, file));
    await chmod(join(checkout, file), 0o444);
  }
  await symlink(join(projectRoot, 'node_modules'), join(folder, 'node_modules'));
  await chmodFolders(0o555);
});
afterAll(async () => {
  await chmodFolders(0o755);
  await rm(folder, { recursive: true });
});

async function chmodFolders(mode: number): Promise<void> {
  const entries = await readdir(checkout, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isDirectory())) {
    await chmod(join(entry.parentPath, entry.name), mode);
  }
  await chmod(checkout, mode);
}

async function list(root: string) {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return new Map(
    await Promise.all(
      entries.map(async ({ parentPath, name }) => {
        const path = join(parentPath, name);
        const { size, mtimeMs, ctimeMs } = await lstat(path);
        return [path, { size, mtimeMs, ctimeMs }] as const;
      }),
    ),
  );
}

const env = () => ({
  ...process.env,
  RESNET_EDGE_STATE_DIR: join(folder, 'state'),
  HOME: join(folder, 'home'),
  INIT_CWD: folder,
});

describe('a read-only checkout with RESNET_EDGE_STATE_DIR', () => {
  it('builds, seeds, migrates, serves, classifies and publishes, and writes nothing into the checkout', async () => {
    const before = await list(checkout);
    const child = spawn(process.execPath, ['src/cli/main.ts', 'start', '--port', '0'], {
      cwd: checkout,
      env: env(),
    });
    let out = '';
    child.stdout.on('data', (data) => (out += data));
    child.stderr.on('data', (data) => (out += data));
    const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
    try {
      await expect.poll(() => out, { timeout: 55_000 }).toContain('is ready on');
      expect(out).toContain('Build the Worker');
      const url = /ready on (\S+)/.exec(out)![1];
      const batch = await fetch(`${url}/v1/batches`, { signal: AbortSignal.timeout(10_000) });
      expect(batch.status).toBe(200);
      const page = await fetch(`${url}/`, { signal: AbortSignal.timeout(10_000) });
      expect(page.status).toBe(200);
    } finally {
      child.kill('SIGTERM');
    }
    expect(await exited).toBe(0);
    const classified = await call('classify', '--json', goldenPath('cat.jpg'));
    expect(JSON.parse(classified)).toMatchObject({
      predictions: [{ label: 'Egyptian cat' }, {}, {}, {}, {}],
    });
    expect(await call('models', 'push', 'resnet18-imagenet1k', '--json')).toContain('"written":0');
    expect(await list(checkout)).toEqual(before);
    expect(await readdir(join(folder, 'state'))).toEqual(expect.arrayContaining(['build', 'v3']));
  }, 120_000);
});

async function call(...args: string[]): Promise<string> {
  return await new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ['src/cli/main.ts', ...args],
      { cwd: checkout, env: env() },
      (error, stdout) => (error ? reject(error) : resolve(stdout)),
    );
  });
}
