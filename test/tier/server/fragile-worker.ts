import { parentPort } from 'node:worker_threads';

/** Does what it is told: answers, dies, or never comes back. */
parentPort!.on('message', (job: 'die' | 'hang' | number) => {
  if (job === 'die') process.exit(1);
  if (job === 'hang') for (;;);
  parentPort!.postMessage({ value: job });
});
