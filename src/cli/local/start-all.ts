import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { endWithParent } from '../../lib/end-with-parent.ts';
import { defineCommand } from '../command-line/command.ts';
import { projectRoot } from '../paths.ts';
import { type BucketServer, serveBucket } from './bucket-server.ts';
import { startLocalWorker } from './local-worker.ts';
import { onStopSignal } from './on-stop-signal.ts';
import { readFreePort } from './read-free-port.ts';
import { createSteps, silentSteps } from './steps.ts';

/**
 * `npm run start:all`: the edge, its queues and the Node tier on this machine, with a secret of this run. Both read their
 * models from the local bucket.
 */
export const startAll = defineCommand({
  usage: `Usage: npm run start:all -- [--quiet]

  --quiet    say only when it is ready, and what fails

PORT (8787) and TIER_PORT (8788) say where to listen on 127.0.0.1. Variables of the Worker and of the tier may be
set in the environment.`,
  options: { quiet: { type: 'boolean', default: false } },
  operands: { min: 0, max: 0 },
  async run({ quiet }) {
    endWithParent();
    const port = await readFreePort(process.env['PORT'] ?? '8787', 'PORT');
    const tierPort = await readFreePort(process.env['TIER_PORT'] ?? '8788', 'TIER_PORT');
    const secret = randomBytes(24).toString('base64url');
    let bucket: BucketServer | undefined;
    let tier: ChildProcess | undefined;
    const starting = startLocalWorker({
      port,
      variables: {
        NODE_TIER_URL: `http://127.0.0.1:${tierPort}`,
        NODE_TIER_SECRET: secret,
      },
      steps: quiet ? silentSteps : createSteps(process.stdout),
      showRequests: !quiet,
      async onBucket(models) {
        bucket = await serveBucket(models);
        tier = startTier(tierPort, secret, bucket.variables);
      },
    });
    const stop = async () => {
      tier?.removeAllListeners('exit');
      const tierEnded = tier && once(tier, 'exit');
      tier?.kill('SIGTERM');
      await Promise.allSettled([starting.then((started) => started.stop()), tierEnded]);
      bucket?.stop();
    };
    onStopSignal(stop);
    const worker = await starting;
    onStopSignal(stop);
    console.log(`resnet-edge is ready on ${worker.url}, its Node tier on http://127.0.0.1:${tierPort}`);
    return undefined;
  },
});

function startTier(port: number, secret: string, models: Readonly<Record<string, string>>) {
  const tier = spawn(process.execPath, ['functions/batch.ts'], {
    cwd: projectRoot,
    env: {
      ...models,
      MALLOC_ARENA_MAX: '2',
      ...process.env,
      TIER_PORT: String(port),
      TIER_SECRET: secret,
    },
    // With the channel the tier notices when this process is killed.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  tier.once('exit', (code) => process.exit(code ?? 1));
  // However this process ends, the tier must not stay behind.
  process.once('exit', () => tier.kill('SIGTERM'));
  return tier;
}
