/**
 * Ends the process with 0 once `stop` is done. Takes SIGINT and SIGTERM over from other listeners: miniflare's
 * handler would end the process at once, with 143, whatever else is still to be finished. So call it after the worker
 * has started.
 */
export function onStopSignal(stop: () => Promise<unknown>): void {
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.removeAllListeners(signal);
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      void stop().finally(() => process.exit(0));
    });
  }
}
