import type { Miniflare } from 'miniflare';

/** Local queues live in memory alone, so that a restart loses messages: the sweep finds what they stood for. */
const intervalMs = 15_000;

/** Does what the cron trigger does in production; the local runtime has no clock of its own. */
export function sweepRegularly(miniflare: Miniflare): void {
  const sweep = async () => {
    try {
      await (await miniflare.getWorker()).scheduled({ cron: '*/5 * * * *' });
    } catch {
      // The runtime is ending, or the Worker has told of its trouble itself.
    }
  };
  void sweep();
  setInterval(sweep, intervalMs).unref();
}
