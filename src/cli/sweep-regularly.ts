/** Local queues live in memory alone, so that a restart loses messages: the sweep finds what they stood for. */
const intervalMs = 15_000;

/** Does what the cron trigger does in production; wrangler's local runtime has no clock of its own. */
export function sweepRegularly(workerUrl: string): void {
  const sweep = () =>
    fetch(`${workerUrl}/cdn-cgi/handler/scheduled`, { signal: AbortSignal.timeout(30_000) }).catch(
      () => undefined,
    );
  void sweep();
  setInterval(sweep, intervalMs).unref();
}
