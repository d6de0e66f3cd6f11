import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { endWithParent } from '../lib/end-with-parent.ts';
import { readFreePort } from './listen-port.ts';
import { startLocalWorker } from './local-worker.ts';
import { onStopSignal } from './on-stop-signal.ts';
import { assetsDir, projectRoot } from './paths.ts';
import { sweepRegularly } from './sweep-regularly.ts';

/** `npm run start:all`: the edge, its queues and the Node tier on this machine, with a secret of this run. */
endWithParent();
const port = await readFreePort('PORT', 8787, 'run start:all');
const tierPort = await readFreePort('TIER_PORT', 8788, 'run start:all');
const secret = randomBytes(24).toString('base64url');
const tier = spawn(process.execPath, ['functions/batch.ts'], {
  cwd: projectRoot,
  env: {
    TIER_MODELS_DIR: assetsDir,
    MALLOC_ARENA_MAX: '2',
    ...process.env,
    TIER_PORT: String(tierPort),
    TIER_SECRET: secret,
  },
  // With the channel the tier notices when this process is killed.
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
});
tier.once('exit', (code) => process.exit(code ?? 1));
// However this process ends, the tier must not stay behind.
process.once('exit', () => tier.kill('SIGTERM'));
const starting = startLocalWorker(port, {
  NODE_TIER_URL: `http://127.0.0.1:${tierPort}`,
  NODE_TIER_SECRET: secret,
  // The same network as the default's current version, in the form that onnxruntime runs in batches.
  NODE_TIER_MODEL_VERSIONS: process.env['NODE_TIER_MODEL_VERSIONS'] ?? 'resnet18-imagenet1k/1',
});
onStopSignal(stop);
const worker = await starting;
onStopSignal(stop);
sweepRegularly(worker.url);
console.log(`resnet-edge is ready on ${worker.url}, its Node tier on http://127.0.0.1:${tierPort}`);

async function stop(): Promise<void> {
  tier.removeAllListeners('exit');
  const tierEnded = new Promise((resolve) => tier.once('exit', resolve));
  tier.kill('SIGTERM');
  await Promise.allSettled([starting.then((started) => started.stop()), tierEnded]);
}
