import { CodedError } from '../errors.ts';
import { FairQueue, type Queued } from '../lib/fair-queue.ts';

export interface GateOptions {
  /** Number of units: bytes, or places. */
  readonly capacity: number;
  /** Requests that may wait. One more is refused at once. */
  readonly maxWaiting: number;
  /**
   * A unit that was not given back after this time is taken back, because workerd may drop a cancelled request in the
   * middle, and its `finally` then never runs.
   */
  readonly maxHoldMs: number;
}

export interface Wait {
  /** Milliseconds since 1970. */
  readonly deadline: number;
  /** Called while waiting: whether nobody wants the place any more. */
  readonly isCancelled?: (() => boolean) | undefined;
  /** The caller. No caller may fill the whole queue. */
  readonly caller?: string | undefined;
}

interface Waiter extends Queued {
  readonly units: number;
  readonly grant: (release: () => void) => void;
}

interface Hold {
  readonly units: number;
  readonly until: number;
}

/** How often a waiting request looks at the clock, and takes back units of dead requests. */
const pollMs = 50;

/**
 * Bounded admission: it limits the units in use and the requests that wait. A request waits until its deadline. Callers
 * take turns, and each caller's requests are served in order. Each waiting request has a timer of its own, because in
 * workerd a timer belongs to a request.
 */
export class Gate {
  readonly #options: GateOptions;
  readonly #holds = new Set<Hold>();
  readonly #waiting: FairQueue<Waiter>;
  #used = 0;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#waiting = new FairQueue(options.maxWaiting);
  }

  /** Units taken, and requests waiting, now. */
  state(): { readonly used: number; readonly waiting: number } {
    return { used: this.#used, waiting: this.#waiting.length };
  }

  /**
   * @param units at least 1; more than the capacity counts as the whole of it.
   * @returns gives the units back; harmless when called again.
   * @throws {CodedError} `overloaded`, `client_closed`.
   */
  async enter(units: number, wait: Wait): Promise<() => void> {
    const wanted = Math.min(Math.max(1, units), this.#options.capacity);
    this.#expire();
    // Checked even if there is a place, because nobody would read the answer.
    assertWanted(wait);
    if (this.#waiting.length === 0 && this.#fits(wanted)) return this.#take(wanted);
    if (!this.#waiting.hasRoom(wait.caller)) throw overloaded('too many requests are waiting');
    return await this.#wait(wanted, wait);
  }

  async #wait(units: number, wait: Wait): Promise<() => void> {
    const { promise, resolve, reject } = Promise.withResolvers<() => void>();
    const waiter: Waiter = { units, caller: wait.caller, grant: resolve };
    this.#waiting.push(waiter);
    const timer = setInterval(() => {
      this.#expire();
      this.#admit();
      if (!this.#waiting.has(waiter)) return;
      try {
        assertWanted(wait);
      } catch (error) {
        reject(error);
      }
    }, pollMs);
    try {
      return await promise;
    } finally {
      clearInterval(timer);
      this.#waiting.remove(waiter);
    }
  }

  #fits(units: number): boolean {
    return this.#used + units <= this.#options.capacity;
  }

  #take(units: number): () => void {
    const hold: Hold = { units, until: Date.now() + this.#options.maxHoldMs };
    this.#holds.add(hold);
    this.#used += units;
    return () => {
      this.#drop(hold);
      this.#admit();
    };
  }

  #drop(hold: Hold): void {
    if (this.#holds.delete(hold)) this.#used -= hold.units;
  }

  #expire(): void {
    const now = Date.now();
    for (const hold of this.#holds) if (hold.until <= now) this.#drop(hold);
  }

  #admit(): void {
    for (;;) {
      const [next] = this.#waiting.inOrder();
      if (!next || !this.#fits(next.units)) return;
      this.#waiting.serve(next);
      next.grant(this.#take(next.units));
    }
  }
}

/** @throws {CodedError} `overloaded` after the deadline, `client_closed`. */
function assertWanted({ deadline, isCancelled }: Wait): void {
  if (isCancelled?.()) throw new CodedError('client_closed', 'The client went away.');
  if (Date.now() >= deadline) throw overloaded('the deadline came before its turn');
}

function overloaded(reason: string): CodedError {
  return new CodedError('overloaded', `This isolate is busy: ${reason}.`, { retryAfterSeconds: 1 });
}
