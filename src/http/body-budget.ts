import { CodedError } from '../errors.ts';
import { FairQueue, type Queued } from '../lib/fair-queue.ts';
import { canFinish, type Need, toNeed } from './body-need.ts';

export interface BodyBudgetOptions {
  /** Bytes of bodies held at once. */
  readonly capacity: number;
  /** Bytes of it that only small bodies may take, so that large ones never keep them out. */
  readonly smallBodyRoom: number;
  /** The largest limit of a small body. */
  readonly maxSmallBody: number;
  /** Bytes that the bodies of one caller may hold together. A single larger body may hold more. */
  readonly callerShare: number;
  /** While others wait, a body must be fast enough to arrive whole within this time. */
  readonly paceMs: number;
  /** The same for the bodies of a caller who holds more than the share, while another caller waits. */
  readonly borrowedPaceMs: number;
  /** Bodies that may wait for more bytes. One more is refused at once. */
  readonly maxWaiting: number;
  /**
   * Bytes that were not given back after this time are taken back, because workerd may drop a cancelled request in the
   * middle, and its `finally` then never runs.
   */
  readonly maxHoldMs: number;
}

export interface BodyWait {
  /** Milliseconds since 1970. */
  readonly deadline: number;
  /** Called while waiting: whether nobody wants the body any more. */
  readonly isCancelled: () => boolean;
  /** The caller that sends the body. No caller may fill the whole queue. */
  readonly caller?: string | undefined;
}

/** The bytes that one body holds. */
export interface HeldBody {
  /**
   * Waits until the body may hold `bytes` in all. It keeps the bytes that it holds already.
   *
   * @throws {CodedError} `overloaded`, `client_closed`.
   */
  growTo(bytes: number): Promise<void>;
  /** The time in which the whole body has to come; undefined while nobody waits for its bytes. */
  paceMs(): number | undefined;
  /** Whether the body is large and older than `paceMs`, not counting the time that it has waited itself. */
  isOverdue(): boolean;
  /** Call it when the whole body has come and will not grow any more. */
  settle(): void;
  /** Gives all back; harmless when called again. */
  release(): void;
}

interface Account extends Need {
  readonly until: number;
  /** Undefined if callers are unknown. */
  readonly caller: string | undefined;
  /** Time of opening in milliseconds since 1970, plus the time that the body has waited. */
  begun: number;
}

interface Waiter extends Queued {
  readonly account: Account;
  readonly bytes: number;
  readonly grant: () => void;
}

/** How often a waiting body looks at the clock, and takes back bytes of dead requests. */
const pollMs = 50;

/**
 * The isolate's budget of bytes for request bodies. A body takes bytes as it arrives and not before, so a caller that
 * declares much and sends little holds little. Bodies that each hold a part and wait for the rest could wait for each
 * other for ever. So bytes are granted only if all open bodies could still be finished one after another, the one that
 * needs least first (Dijkstra's banker's algorithm). A small body passes a large one that waits. Each caller has a share.
 * A body that is larger than the share may exceed it, and then has less time while others wait. Two bodies that outgrow
 * their declared lengths may still wait for each other, until a deadline.
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
   * @param max the most bytes that it may hold; at most the room for large bodies.
   * @param expected its declared length. A body without one counts as small until it has grown.
   */
  open(max: number, wait: BodyWait, expected = this.#options.maxSmallBody): HeldBody {
    const begun = Date.now();
    const most = Math.min(max, this.#largeCapacity);
    const account: Account = {
      held: 0,
      limit: Math.min(expected, most),
      max: most,
      until: begun + this.#options.maxHoldMs,
      caller: wait.caller,
      begun,
    };
    this.#accounts.add(account);
    return {
      growTo: (bytes) => this.#growTo(account, Math.min(bytes, account.max), wait),
      paceMs: () => this.#paceOf(account),
      isOverdue: () => {
        if (account.held <= this.#options.maxSmallBody) return false;
        const pace = this.#paceOf(account);
        return pace !== undefined && Date.now() - account.begun > pace;
      },
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
    const askedAt = Date.now();
    const waiter: Waiter = { account, bytes, caller, grant: resolve };
    this.#waiting.push(waiter);
    // Each waiting body has a timer of its own, because in workerd a timer belongs to a request.
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
      account.begun += Date.now() - askedAt;
    }
  }

  #hold(account: Account, bytes: number): void {
    this.#used += bytes - account.held;
    const { held, limit } = toNeed(account, bytes);
    Object.assign(account, { held, limit });
  }

  #close(account: Account): void {
    if (this.#accounts.delete(account)) this.#used -= account.held;
  }

  /** Takes back bytes of dead requests. @returns whether there were any. */
  #expire(): boolean {
    const now = Date.now();
    const late = [...this.#accounts].filter(({ until }) => until <= now);
    for (const account of late) this.#close(account);
    return late.length > 0;
  }

  /** Whether every open body could still be finished, one after another, if this one held `bytes`. */
  #isSafe(account: Account, bytes: number): boolean {
    if (!this.#accounts.has(account)) return false;
    const grown = toNeed(account, bytes);
    const bodies: Need[] = [grown];
    for (const other of this.#accounts) if (other !== account) bodies.push(other);
    const isLarge = ({ limit }: Need) => limit > this.#options.maxSmallBody;
    return (
      this.#isWithinShare(account, bytes) &&
      canFinish(bodies, this.#options.capacity) &&
      (!isLarge(grown) || canFinish(bodies.filter(isLarge), this.#largeCapacity))
    );
  }

  /**
   * Whether the account's caller stays within its share if this body holds `bytes`. Its bodies that fit in the share must
   * fit in it together. All its bodies together must leave other callers half of the room for small bodies.
   */
  #isWithinShare(account: Account, bytes: number): boolean {
    const { caller } = account;
    if (caller === undefined) return true;
    const { callerShare, capacity, smallBodyRoom } = this.#options;
    const grown = toNeed(account, bytes);
    const own: Need[] = [grown];
    for (const other of this.#accounts) if (other !== account && other.caller === caller) own.push(other);
    const fits = ({ limit }: Need) => limit <= callerShare;
    return (
      canFinish(own, capacity - smallBodyRoom / 2) &&
      (!fits(grown) || canFinish(own.filter(fits), callerShare))
    );
  }

  /** The pace of a body. A body that waits only because of its own caller's share makes nobody hurry. */
  #paceOf(account: Account): number | undefined {
    const { callerShare, paceMs, borrowedPaceMs } = this.#options;
    const waiting = this.#waiting
      .inOrder()
      .filter((waiter) => waiter.account !== account && this.#isWithinShare(waiter.account, waiter.bytes));
    if (waiting.length === 0) return undefined;
    const { caller } = account;
    const isOthers = waiting.some((waiter) => waiter.caller !== caller);
    if (caller === undefined || !isOthers) return paceMs;
    let held = 0;
    for (const other of this.#accounts) if (other.caller === caller) held += other.held;
    return held > callerShare ? borrowedPaceMs : paceMs;
  }

  /** Admits waiting bodies. Callers take turns; a body that does not fit does not stop the next. */
  #admit(): void {
    for (const waiter of this.#waiting.inOrder()) {
      if (!this.#isSafe(waiter.account, waiter.bytes)) continue;
      this.#hold(waiter.account, waiter.bytes);
      this.#waiting.serve(waiter);
      waiter.grant();
    }
  }
}

function overloaded(reason: string): CodedError {
  return new CodedError('overloaded', `This isolate is busy: ${reason}.`, { retryAfterSeconds: 1 });
}
