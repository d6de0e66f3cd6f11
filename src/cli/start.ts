import { endWithParent } from '../lib/end-with-parent.ts';
import { readFreePort } from './listen-port.ts';
import { startLocalWorker } from './local-worker.ts';
import { onStopSignal } from './on-stop-signal.ts';
import { sweepRegularly } from './sweep-regularly.ts';

/** `npm start`: the Worker on this machine, with the embedded default model. */
endWithParent();
const port = await readFreePort('PORT', 8787, 'start');

const worker = await startLocalWorker(port).catch((error: unknown) => fail(String(error)));
sweepRegularly(worker.url);
console.log(
  `resnet-edge is ready on ${worker.url} - try: curl --data-binary @test/golden/cat.jpg ${worker.url}/v1/classify`,
);
onStopSignal(() => worker.stop());

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
