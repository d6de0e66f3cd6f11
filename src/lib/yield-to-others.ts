/**
 * Gives other requests of this isolate a turn, and lets workerd's clock move on. A timer is an event of its own, and events
 * that wait come before it.
 */
export function yieldToOthers(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
