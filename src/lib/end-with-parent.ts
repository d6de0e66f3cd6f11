const checkMs = 250;

/**
 * Sends this process a SIGTERM when the process that started it ends, npm or `start:all`. No server is left behind
 * that nobody stops.
 *
 * npm passes a signal to the shell that it runs a script with, and a shell such as dash ends without telling its
 * child. `start:all` may be killed, and opens a channel to its tier, which closes then. Does nothing in a process
 * that was started otherwise, which may well outlive a shell.
 */
export function endWithParent(): void {
  const end = () => process.kill(process.pid, 'SIGTERM');
  if (process.channel) process.once('disconnect', end);
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    end();
  }, checkMs);
  timer.unref();
}
