import { createServer } from 'node:net';
import { startLocalWorker } from './local-worker.ts';
import { onStopSignal } from './on-stop-signal.ts';
import { sweepRegularly } from './sweep-regularly.ts';

/** `npm start`: the Worker on this machine, with the embedded default model. */
const port = Number(process.env['PORT'] ?? 8787);
if (!Number.isInteger(port) || port < 0 || port > 65535)
  fail(`PORT must be a port number, got "${process.env['PORT']}".`);
if (port !== 0) await assertPortFree(port);

const worker = await startLocalWorker(port).catch((error: unknown) => fail(String(error)));
sweepRegularly(worker.url);
console.log(
  `resnet-edge is ready on ${worker.url} - try: curl --data-binary @photo.jpg ${worker.url}/v1/classify`,
);
onStopSignal(() => worker.stop());

/** wrangler would take another port in silence. */
async function assertPortFree(wanted: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const probe = createServer();
    probe.once('error', () => fail(`Port ${wanted} is in use. Choose another: PORT=8788 npm start`));
    probe.listen(wanted, '127.0.0.1', () => probe.close(() => resolve()));
  });
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
