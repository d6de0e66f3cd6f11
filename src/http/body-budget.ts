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
  /** Bytes that the bodies of one caller hold together, but for one that is larger by itself. */
  readonly callerShare: number;
  /** The pace of a body while others wait, as the time in which all of it has to come. */
  readonly paceMs: number;
  /** The same for the bodies of a caller who holds more than the share, while another caller waits. */
  readonly borrowedPaceMs: number;
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
  /** The time in which all of it has to come; undefined while nobody waits for what it holds. */
  paceMs(): number | undefined;
  /** Whether it is large and has had longer than that since it was opened, what it waited itself left out. */
  isOverdue(): boolean;
  /** The whole body has come: it will not grow any more. */
  settle(): void;
  /** Gives all back; harmless when called again. */
  release(): void;
}

interface Account extends Need {
  readonly until: number;
  /** Undefined where nothing tells callers apart. */
  readonly caller: string | undefined;
  /** When it was opened, in milliseconds since 1970; later by what it has waited. */
  begun: number;
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
 * limit first (Dijkstra's banker's algorithm). A small body passes a large one that waits. A caller has a share; a body
 * that is larger borrows beyond it, and has to make haste while others wait. Two bodies that outgrow what they said may
 * still wait for each other, until a deadline.
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
      this.#isWithinShare(account, bytes) &&
      canFinish(bodies, this.#options.capacity) &&
      (!isLarge(grown) || canFinish(bodies.filter(isLarge), this.#largeCapacity))
    );
  }

  /**
   * Whether its caller may have so many bytes: the share for all bodies that fit in it. With one that does not they leave
   * others half of the room of small bodies.
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

  /** A body that its own caller's share holds back waits for no one else. */
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

function overloaded(reason: string): CodedError {
  return new CodedError('overloaded', `This isolate is busy: ${reason}.`, { retryAfterSeconds: 1 });
}
