import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { environments, toWranglerEnv } from '../../src/cli/deploy/deployment.ts';
import { listSecretNames } from '../../src/cli/deploy/secrets.ts';
import { projectRoot } from '../../src/cli/paths.ts';
import { goldenPath } from '../golden/golden.ts';
import { type Account, createAccount } from './cloudflare/account.ts';
import { ApiError, type ApiServer, startApiServer } from './cloudflare/api-server.ts';
import { resourceRoutes } from './cloudflare/resource-routes.ts';
import { type UploadMetadata, workerRoutes } from './cloudflare/worker-routes.ts';

/**
 * The real wrangler against a stand-in of Cloudflare's API on loopback, whose answers have the types of Cloudflare's own
 * client. Its R2, D1 and Workers are those of the local runtime: what is uploaded is served, with the bindings and
 * secrets of the upload, from the bucket and the database that were filled through the API.
 */
const token = 'the-token-of-this-test';
const uploads: UploadMetadata[] = [];
let account: Account;
let api: ApiServer;
let state: string;
/** Where the commands put what they need for a moment. */
let scratch: string;
beforeAll(async () => {
  account = await createAccount();
  api = await startApiServer({ ...resourceRoutes(account), ...workerRoutes(account, uploads) }, token);
  state = await mkdtemp(join(tmpdir(), 'deploy-'));
  scratch = join(state, 'scratch');
  await mkdir(scratch);
});
afterAll(async () => {
  await account?.close();
  await api?.close();
  await rm(state, { recursive: true });
});

async function call(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['src/cli/main.ts', ...args], {
    cwd: projectRoot,
    env: {
      ...process.env,
      CLOUDFLARE_API_BASE_URL: api.url,
      CLOUDFLARE_API_TOKEN: token,
      CLOUDFLARE_ACCOUNT_ID: account.id,
      RESNET_EDGE_STATE_DIR: state,
      HOME: state,
      TMPDIR: scratch,
      // What a person sets who looks for a fault: secrets must not come to light by it.
      WRANGLER_LOG: 'debug',
      WRANGLER_LOG_SANITIZE: 'false',
      ...env,
    },
  });
  api.calls.length = 0;
  let out = '';
  let err = '';
  child.stdout.on('data', (data) => (out += data));
  child.stderr.on('data', (data) => (err += data));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out, err, calls: [...api.calls] };
}

const deploySetup = (...args: string[]) =>
  call(['deploy:setup', '--url', account.url, '--timeout', '30', ...args]);
const classify = (key: string) =>
  call(['classify', '--json', '--url', account.url, goldenPath('cat.jpg')], { RESNET_EDGE_API_KEY: key });
const toKey = (out: string) => /re_[\w-]{43}/.exec(out)?.[0];
/** Calls that make or change something. */
const changes = (calls: readonly string[]) => calls.filter((one) => /^(POST|PUT|PATCH|DELETE) /.test(one));

describe('deploy:setup --dry-run', () => {
  it('prints every step and calls nothing', async () => {
    const { code, out, calls } = await deploySetup('--dry-run', '--env', 'staging', '--engine-only');
    expect(code).toBe(0);
    for (const step of [
      'wrangler whoami',
      'wrangler r2 bucket create resnet-edge-staging-models',
      'wrangler r2 bucket create resnet-edge-staging-batches',
      'wrangler d1 create resnet-edge-staging-batches',
      'wrangler queues create resnet-edge-staging-chunks',
      'wrangler queues create resnet-edge-staging-chunks-dead',
      'wrangler queues create resnet-edge-staging-webhooks',
      'wrangler d1 migrations apply resnet-edge-staging-batches --remote --env=staging',
      'wrangler r2 object put resnet-edge-staging-models/KEY',
      'wrangler deploy functions/edge-engine.ts --env=staging --secrets-file FILE',
      '/v1/health/ready',
    ])
      expect(out).toContain(step);
    expect(calls).toEqual([]);
  });
});

describe('deploy:setup, before anything is made', () => {
  it.each(environments)('a Worker that was never deployed to %s has no secrets', async (environment) => {
    vi.stubEnv('CLOUDFLARE_API_BASE_URL', api.url);
    vi.stubEnv('CLOUDFLARE_API_TOKEN', token);
    vi.stubEnv('CLOUDFLARE_ACCOUNT_ID', account.id);
    const names = await listSecretNames([`--env=${toWranglerEnv(environment)}`]);
    vi.unstubAllEnvs();
    expect(names).toEqual(new Set());
  });

  it.each([
    [{ CLOUDFLARE_API_TOKEN: '' }, 'wrangler is not logged in', 'npx wrangler login'],
    [{ CLOUDFLARE_API_TOKEN: 'another' }, 'Authentication error', 'lacks a right'],
  ])('%o: says what to do', async (env, reason, advice) => {
    const { code, out, err, calls } = await call(['deploy:setup'], env);
    expect(code).toBe(1);
    expect(out).toContain('Find the account ... failed');
    expect(err).toContain(reason);
    expect(err).toContain(advice);
    expect(changes(calls)).toEqual([]);
  });

  it('asks which account is meant', async () => {
    const [only] = account.logins;
    account.logins = [only!, { id: 'another', name: 'The other one' }];
    const { code, err } = await call(['deploy:setup'], { CLOUDFLARE_ACCOUNT_ID: '' });
    account.logins = [only!];
    expect(code).toBe(1);
    expect(err).toContain('another  The other one');
    expect(err).toContain('CLOUDFLARE_ACCOUNT_ID');
  });

  it('says that R2 has to be switched on', async () => {
    api.failNext(
      /^POST .*\/r2\/buckets$/,
      new ApiError(403, 10_042, 'Please enable R2 through the Cloudflare Dashboard.'),
    );
    const { code, err } = await deploySetup();
    expect(code).toBe(1);
    expect(err).toContain('Please enable R2');
    expect(err).toContain("in Cloudflare's dashboard under R2");
    expect(account.buckets.size).toBe(0);
  });

  it.each([
    [['--env', 'moon'], '--env must be production or staging'],
    [['--timeout', 'soon'], '--timeout must be'],
    [['--url', 'example.com'], '--url must be'],
    [['--secrets-file', 'missing.json'], 'cannot be read'],
    [['--secrets-file', goldenPath('logits.json')], 'must be a JSON object of strings'],
  ])('%j: status 2', async (args, reason) => {
    const { code, err, calls } = await call(['deploy:setup', ...args]);
    expect(code).toBe(2);
    expect(err).toContain(reason);
    expect(calls).toEqual([]);
  });
});

describe('deploy:setup', () => {
  let key: string;

  it('stops where it fails, with what to do', async () => {
    api.failNext(
      /^PUT .*\/workers\/scripts\/resnet-edge$/,
      new ApiError(403, 100_328, 'CPU limits are not supported for the Free plan.'),
    );
    const { code, out, err } = await deploySetup();
    expect(code).toBe(1);
    expect(out).toContain('Worker resnet-edge ... failed');
    expect(err).toContain('CPU limits are not supported for the Free plan');
    expect(err).toContain('What to do: the account needs the Workers Paid plan');
    expect(err).toContain('npm run deploy:setup');
    expect(account.workers.size).toBe(0);
    expect([...account.buckets].sort()).toEqual(['resnet-edge-batches', 'resnet-edge-models']);
    expect([...account.queues.keys()].sort()).toEqual([
      'resnet-edge-chunks',
      'resnet-edge-chunks-dead',
      'resnet-edge-lessons',
      'resnet-edge-lessons-dead',
      'resnet-edge-webhooks',
    ]);
  }, 240_000);

  it('goes on from there: nothing is made twice, and the key that it prints gets a label', async () => {
    const { code, out, err, calls } = await deploySetup();
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toContain(`URL   ${account.url}`);
    expect(changes(calls).filter((one) => /objects|\/d1\/database$|\/queues$/.test(one))).toEqual([]);
    key = toKey(out)!;
    expect(out).toContain(`curl -H 'Authorization: Bearer ${key}'`);
    expect(JSON.parse((await classify(key)).out)).toMatchObject({
      tier: 'edge',
      predictions: [{ label: 'Egyptian cat' }, {}, {}, {}, {}],
    });
    expect(JSON.parse((await classify('another')).out)).toMatchObject({ code: 'credential_invalid' });
    const batches = await fetch(`${account.url}/v1/batches`, {
      headers: { authorization: `Bearer ${key}` },
      signal: AbortSignal.timeout(10_000),
    });
    expect(await batches.json()).toMatchObject({ batches: [] });
    const page = await fetch(account.url, {
      headers: { accept: 'text/html' },
      signal: AbortSignal.timeout(10_000),
    });
    expect(page.headers.get('content-type')).toContain('text/html');
  }, 240_000);

  it('uploads what wrangler.toml says', () => {
    const [upload] = uploads.slice(-1);
    expect(upload).toMatchObject({
      main_module: 'edge.js',
      limits: { cpu_ms: 300_000 },
      observability: { enabled: true, head_sampling_rate: 1 },
    });
    expect(upload!.bindings.find(({ type }) => type === 'd1')!.id).toBe([...account.databases.keys()][0]);
    const worker = account.workers.get('resnet-edge')!;
    expect(worker).toMatchObject({ onWorkersDev: true, schedules: ['*/5 * * * *'] });
    for (const [name, { consumers }] of account.queues) {
      const hasDeadLetters = ['resnet-edge-chunks', 'resnet-edge-lessons'].includes(name);
      const deadLetterQueue = hasDeadLetters ? `${name}-dead` : undefined;
      expect(consumers).toMatchObject([{ script: 'resnet-edge', deadLetterQueue }]);
    }
  });

  it("a second run changes nothing but the deployed code, the key stays valid, and a person's own secrets are added", async () => {
    const secrets = new Map(account.workers.get('resnet-edge')!.secrets);
    const own = join(state, 'own.env');
    await writeFile(own, 'NODE_TIER_SECRET=one of my own\n');
    const { code, out, calls } = await deploySetup('--engine-only', '--secrets-file', own);
    expect(code).toBe(0);
    expect(toKey(out)).toBeUndefined();
    // Two buckets, a database, five queues, the models.
    expect(out.match(/there already/g)).toHaveLength(9);
    expect(out).toContain('Migrations of resnet-edge-batches ... up to date');
    expect(out).toContain('new: NODE_TIER_SECRET\n');
    expect(changes(calls).filter((one) => /objects|\/d1\/database$|\/queues$/.test(one))).toEqual([]);
    expect(account.workers.get('resnet-edge')!.secrets).toEqual(
      secrets.set('NODE_TIER_SECRET', 'one of my own'),
    );
    expect(uploads.at(-1)!.main_module).toBe('edge-engine.js');
    expect(JSON.parse((await classify(key)).out)).toMatchObject({
      predictions: [{ label: 'Egyptian cat' }, {}, {}, {}, {}],
    });
  }, 240_000);

  it('deploy uploads the code alone', async () => {
    const before = new Map(account.workers.get('resnet-edge')!.secrets);
    const { code, out, calls } = await call(['deploy']);
    expect(code).toBe(0);
    expect(out).toMatch(/^version [0-9a-f-]{36}\nhttps:\/\/resnet-edge\.the-test\.workers\.dev\n$/);
    expect(uploads.at(-1)!.main_module).toBe('edge.js');
    expect(account.workers.get('resnet-edge')!.secrets).toEqual(before);
    expect(changes(calls).filter((one) => /objects|\/d1\/|\/queues$/.test(one))).toEqual([]);
  }, 120_000);

  it('leaves no secret in the log files of wrangler, and no file of secrets behind', async () => {
    const folder = join(state, '.wrangler/logs');
    const logs = await Promise.all(
      (await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8')),
    );
    const text = logs.join('\n');
    expect(text).toContain('/workers/scripts/resnet-edge');
    const { sha256 } = JSON.parse(account.workers.get('resnet-edge')!.secrets.get('API_KEYS')!)[0];
    const secrets = [key, sha256, token, ...account.workers.get('resnet-edge')!.secrets.values()];
    for (const secret of secrets) expect(text).not.toContain(secret);
    const left = await readdir(scratch, { recursive: true });
    expect(left.filter((name) => name.endsWith('secrets.json'))).toEqual([]);
  });
});

describe('models --remote', () => {
  it('publishes into the deployed bucket', async () => {
    const pushed = await call(['models', 'push', 'resnet18-imagenet1k', '--remote', '--json']);
    expect(JSON.parse(pushed.out)).toMatchObject({ written: 0, promoted: false });
    expect(pushed.calls.every((one) => !one.startsWith('PUT'))).toBe(true);
    const elsewhere = await call(['models', 'push', 'resnet18-imagenet1k', '--remote', '--env', 'staging']);
    expect(elsewhere.code).toBe(1);
    expect(elsewhere.err).toContain('The specified bucket does not exist');
  });
});
