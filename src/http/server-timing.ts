/**
 * Collects the Server-Timing header (W3C Server Timing). workerd's clock moves only at I/O, so right after CPU work a
 * figure would be 0. So `lap` first waits for a timer, the cheapest I/O (about 1 ms), which also gives other requests of
 * the isolate a turn.
 */
export class ServerTiming {
  readonly #entries = new Map<string, number>();
  readonly #enabled: boolean;
  #last: number;

  constructor(enabled: boolean) {
    this.#enabled = enabled;
    this.#last = performance.now();
  }

  /**
   * Adds the time since the last lap to `name`.
   *
   * @returns that time in seconds; undefined when switched off.
   */
  async lap(name: string): Promise<number | undefined> {
    if (!this.#enabled) return undefined;
    await new Promise((resolve) => setTimeout(resolve, 0));
    const now = performance.now();
    const elapsedMs = now - this.#last;
    this.#entries.set(name, (this.#entries.get(name) ?? 0) + elapsedMs);
    this.#last = now;
    return elapsedMs / 1000;
  }

  /** @returns `model;dur=3, decode;dur=12`, or undefined when switched off. */
  header(): string | undefined {
    if (!this.#enabled || this.#entries.size === 0) return undefined;
    return Array.from(this.#entries, ([name, ms]) => `${name};dur=${Math.round(ms * 10) / 10}`).join(', ');
  }
}
