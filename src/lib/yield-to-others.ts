/**
 * Lets other requests of this isolate have their turn, and workerd's clock move on: a timer is an event of its own, before
 * which those that wait are served.
 */
export function yieldToOthers(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
