import { relative } from 'node:path';
import { endWithParent } from '../../lib/end-with-parent.ts';
import { defineCommand } from '../command-line/command.ts';
import { callerDir } from '../command-line/to-path.ts';
import { projectRoot } from '../paths.ts';
import { startLocalWorker } from './local-worker.ts';
import { onStopSignal } from './on-stop-signal.ts';
import { readFreePort } from './read-free-port.ts';
import { createSteps, silentSteps } from './steps.ts';

/** `npm start`: the Worker on this machine, with the embedded default model. */
export const start = defineCommand({
  usage: `Usage: npm start -- [--port N] [--quiet]

  --port N   where to listen on 127.0.0.1 (default: the variable PORT, else 8787); 0 takes any free port
  --quiet    say only when it is ready, and what fails: no steps, no line for each request

Variables of the Worker (docs/operate.md) may be set in the environment: ENGINE_KERNELS=plain npm start
RESNET_EDGE_STATE_DIR=DIR keeps everything that is written in DIR: the checkout may then be read-only.`,
  options: { port: { type: 'string' }, quiet: { type: 'boolean', default: false } },
  operands: { min: 0, max: 0 },
  async run({ port: typed, quiet }) {
    endWithParent();
    const port = await readFreePort(typed ?? process.env['PORT'] ?? '8787', typed ? '--port' : 'PORT');
    const startedAt = performance.now();
    if (!quiet) console.log('resnet-edge is starting');
    const worker = await startLocalWorker({
      port,
      steps: quiet ? silentSteps : createSteps(process.stdout),
      showRequests: !quiet,
    });
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const photo = relative(callerDir, `${projectRoot}test/golden/cat.jpg`);
    console.log(
      [
        `resnet-edge is ready on ${worker.url} (${seconds} s; Ctrl-C ends it)`,
        `  curl --data-binary @${photo} '${worker.url}/v1/classify?top_k=3'`,
        `  page ${worker.url}/   API ${worker.url}/docs`,
      ].join('\n'),
    );
    onStopSignal(() => worker.stop());
    return undefined;
  },
});
