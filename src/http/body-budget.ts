import { CodedError } from '../errors.ts';
import { FairQueue, type Queued } from '../lib/fair-queue.ts';

export interface BodyBudgetOptions {
  /** Bytes of bodies held at once. */
  readonly capacity: number;
  /** Bytes of it that only small bodies may take, so that large ones never keep them out. */
  readonly smallBodyRoom: number;
  /** The largest limit of a small body. */
  readonly maxSmallBody: number;
  /** Bodies that may wait for more; one more is turned away at once. */
  readonly maxWaiting: number;
  /**
   * What was not given back after so long is taken back: workerd drops a cancelled request where it stands, and its
   * `finally` never runs.
   */
  readonly maxHoldMs: number;
}

export interface BodyWait {
  /** Milliseconds since 1970. */
  readonly deadline: number;
  /** Asked while waiting: whether nobody wants the body any more. */
  readonly isCancelled: () => boolean;
  /** Who sends it: nobody may fill the whole queue. */
  readonly caller?: string | undefined;
}

/** The bytes that one body holds. */
export interface HeldBody {
  /**
   * Waits until the body may hold so many bytes in all. What it holds already stays.
   *
   * @throws {CodedError} `overloaded`, `client_closed`.
   */
  growTo(bytes: number): Promise<void>;
  /** The whole body has come: it will not grow any more. */
  settle(): void;
  /** Gives all back; harmless when called again. */
  release(): void;
}

interface Need {
  held: number;
  /** What it will come to hold, as far as is known. */
  limit: number;
}

interface Account extends Need {
  readonly max: number;
  readonly until: number;
}

interface Waiter extends Queued {
  readonly account: Account;
  readonly bytes: number;
  readonly grant: () => void;
}

/** How often a waiting body looks at the clock, and finds what dead requests left behind. */
const pollMs = 50;

/**
 * Bytes of an isolate, shared by the bodies that are coming in. A body takes them as it arrives and not before, so who
 * declares much and sends little holds little. Bodies that each hold a part and wait for the rest would wait for each
 * other; so bytes are granted only while all open bodies could still be finished one after another, the nearest to its
 * limit first (Dijkstra's banker's algorithm). A small body passes a large one that waits. Two bodies that outgrow what
 * they said may still wait for each other, until a deadline.
 */
export class BodyBudget {
  readonly #options: BodyBudgetOptions;
  readonly #accounts = new Set<Account>();
  readonly #waiting: FairQueue<Waiter>;
  #used = 0;

  constructor(options: BodyBudgetOptions) {
    this.#options = options;
    this.#waiting = new FairQueue(options.maxWaiting);
  }

  get #largeCapacity(): number {
    return this.#options.capacity - this.#options.smallBodyRoom;
  }

  /** Bytes held, and bodies waiting for more, now. */
  state(): { readonly used: number; readonly waiting: number } {
    return { used: this.#used, waiting: this.#waiting.length };
  }

  /**
   * @param max the most it may come to hold; more than there is for large bodies counts as the whole of that.
   * @param expected what it says that it will hold. A body that says nothing is small until it has grown.
   */
  open(max: number, wait: BodyWait, expected = this.#options.maxSmallBody): HeldBody {
    const until = Date.now() + this.#options.maxHoldMs;
    const most = Math.min(max, this.#largeCapacity);
    const account: Account = { held: 0, limit: Math.min(expected, most), max: most, until };
    this.#accounts.add(account);
    return {
      growTo: (bytes) => this.#growTo(account, Math.min(bytes, account.max), wait),
      settle: () => {
        account.limit = account.held;
        this.#admit();
      },
      release: () => {
        this.#close(account);
        this.#admit();
      },
    };
  }

  async #growTo(account: Account, bytes: number, wait: BodyWait): Promise<void> {
    if (bytes <= account.held) return;
    if (this.#expire()) this.#admit();
    if (this.#isSafe(account, bytes)) this.#hold(account, bytes);
    else if (!this.#waiting.hasRoom(wait.caller)) throw overloaded('too many bodies are waiting');
    else await this.#wait(account, bytes, wait);
  }

  async #wait(account: Account, bytes: number, { deadline, isCancelled, caller }: BodyWait): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { account, bytes, caller, grant: resolve };
    this.#waiting.push(waiter);
    // A timer of its own, which touches no other request's: in workerd timers belong to requests.
    const timer = setInterval(() => {
      if (this.#expire()) this.#admit();
      if (!this.#waiting.has(waiter)) return;
      if (isCancelled()) reject(new CodedError('client_closed', 'The client went away.'));
      else if (Date.now() >= deadline) reject(overloaded('the deadline came before there was room'));
    }, pollMs);
    try {
      await promise;
    } finally {
      clearInterval(timer);
      this.#waiting.remove(waiter);
    }
  }

  #hold(account: Account, bytes: number): void {
    this.#used += bytes - account.held;
    Object.assign(account, toNeed(account, bytes));
  }

  #close(account: Account): void {
    if (this.#accounts.delete(account)) this.#used -= account.held;
  }

  /** @returns whether there was something to take back. */
  #expire(): boolean {
    const now = Date.now();
    const late = [...this.#accounts].filter(({ until }) => until <= now);
    for (const account of late) this.#close(account);
    return late.length > 0;
  }

  /** Whether every open body could still be finished, one after another, if this one held so many bytes. */
  #isSafe(account: Account, bytes: number): boolean {
    if (!this.#accounts.has(account)) return false;
    const grown = toNeed(account, bytes);
    const bodies: Need[] = [grown];
    for (const other of this.#accounts) if (other !== account) bodies.push(other);
    const isLarge = ({ limit }: Need) => limit > this.#options.maxSmallBody;
    return (
      canFinish(bodies, this.#options.capacity) &&
      (!isLarge(grown) || canFinish(bodies.filter(isLarge), this.#largeCapacity))
    );
  }

  /** Callers take turns, and whom there is no room for does not stop the next. */
  #admit(): void {
    for (const waiter of this.#waiting.inOrder()) {
      if (!this.#isSafe(waiter.account, waiter.bytes)) continue;
      this.#hold(waiter.account, waiter.bytes);
      this.#waiting.serve(waiter);
      waiter.grant();
    }
  }
}

/** A body that outgrows what was expected may hold this many times more. */
const growth = 4;

/** The body as it is when it holds so many bytes. */
function toNeed({ limit, max }: Account, bytes: number): Need {
  return { held: bytes, limit: bytes <= limit ? limit : Math.min(max, bytes * growth) };
}

/** Dijkstra's test: the body that needs least is finished, gives back what it has, and so on. */
function canFinish(bodies: Need[], capacity: number): boolean {
  let free = capacity;
  for (const { held } of bodies) free -= held;
  bodies.sort((a, b) => a.limit - a.held - (b.limit - b.held));
  for (const { held, limit } of bodies) {
    if (limit - held > free) return false;
    free += held;
  }
  return free >= 0;
}

function overloaded(reason: string): CodedError {
  return new CodedError('overloaded', `This isolate is busy: ${reason}.`, { retryAfterSeconds: 1 });
}
