/** An item that waits, and its caller. */
export interface Queued {
  /** A key or an address; undefined if unknown. */
  readonly caller: string | undefined;
}

/** The share of a queue that one known caller may fill. The rest is for others. */
const callerShare = 3 / 4;

/**
 * A bounded queue in which callers take turns, so that no caller waits for all items of another one. Callers who were
 * served less often go first, and each caller's items go in order.
 */
export class FairQueue<T extends Queued> {
  readonly #maxWaiting: number;
  readonly #items: T[] = [];
  /** How often each caller was served since the queue was empty. */
  readonly #served = new Map<string, number>();

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  get length(): number {
    return this.#items.length;
  }

  /** Whether this caller may wait as well. */
  hasRoom(caller: string | undefined): boolean {
    if (this.#items.length >= this.#maxWaiting) return false;
    if (caller === undefined) return true;
    const own = this.#items.filter((item) => item.caller === caller).length;
    return own < Math.max(1, Math.floor(this.#maxWaiting * callerShare));
  }

  has(item: T): boolean {
    return this.#items.includes(item);
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** In the order in which they should be served. */
  inOrder(): T[] {
    const servedOf = ({ caller }: T) => (caller === undefined ? 0 : (this.#served.get(caller) ?? 0));
    return this.#items.toSorted((a, b) => servedOf(a) - servedOf(b));
  }

  /** Removes an item that was served, and counts its caller. */
  serve(item: T): void {
    const { caller } = item;
    if (caller !== undefined) this.#served.set(caller, (this.#served.get(caller) ?? 0) + 1);
    this.remove(item);
  }

  /** Removes an item that waits no longer; harmless when called again. */
  remove(item: T): void {
    const index = this.#items.indexOf(item);
    if (index >= 0) this.#items.splice(index, 1);
    if (this.#items.length === 0) this.#served.clear();
  }
}
