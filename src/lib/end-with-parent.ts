const checkMs = 250;

/**
 * Sends this process a SIGTERM when the process that started it ends (npm or `start:all`), so that no server is left
 * running.
 *
 * npm passes a signal only to the shell that runs the script, and a shell such as dash ends without passing it on.
 * `start:all` may be killed, so it opens a channel to its tier, which closes then. A process that was started in another
 * way is not affected, because it may outlive its shell.
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
