const checkMs = 250;

/**
 * Sends this process a SIGTERM once its parent is gone. npm passes a SIGTERM to the shell that it runs a script
 * with, and a shell such as dash ends without telling its child, which would serve on with nobody to stop it.
 * Does nothing where npm did not start this.
 */
export function endWithNpm(): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, checkMs);
  timer.unref();
}
