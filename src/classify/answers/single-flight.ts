import { CodedError } from '../../errors.ts';
import { withTimeout } from '../../lib/with-timeout.ts';

export interface Passenger {
  /** Keeps the work alive after the request that began it was cancelled: `ctx.waitUntil`. */
  readonly keepAlive: (work: Promise<unknown>) => void;
  /** Milliseconds since 1970 at which this caller gives up. */
  readonly deadline: number;
  /** Whether this caller's client has gone. */
  readonly isCancelled: () => boolean;
}

/** Work that a flight does. */
export interface FlightWork<T> {
  /** @param isAbandoned tells whether nobody waits for the result any more. */
  readonly run: (isAbandoned: () => boolean) => Promise<T>;
  /** Stores the result, for example in a cache. Nobody waits for it, but the flight lasts until it has ended. */
  readonly keep?: (value: T) => Promise<void>;
}

interface Flight<T> {
  readonly promise: Promise<T>;
  /** The deadline of the passenger that runs the work. The work stops there, even if others have more time. */
  readonly deadline: number;
  readonly passengers: Set<Passenger>;
}

/**
 * Runs identical work once if several requests ask for it at the same time. The work runs in the first request and is
 * kept alive after it; it may stop when every passenger's client has gone. If it runs out of time, a passenger that has
 * more time runs it again. So does a passenger that joined while it was stopping. A flight whose result is stored lasts
 * until it is stored, so a passenger that comes meanwhile gets the result and does not run the work again.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /**
   * @returns the result, and whether somebody else's run gave it.
   * @throws {CodedError} `overloaded` at the deadline; whatever `work.run` throws.
   */
  async join(
    key: string,
    passenger: Passenger,
    work: FlightWork<T>,
  ): Promise<{ readonly value: T; readonly shared: boolean }> {
    for (;;) {
      const known = this.#flights.get(key);
      const flight = known ?? this.#start(key, passenger, work);
      flight.passengers.add(passenger);
      const late = outOfTime();
      try {
        const left = Math.max(1, passenger.deadline - Date.now());
        return { value: await withTimeout(flight.promise, left, () => late), shared: known !== undefined };
      } catch (error) {
        // The request that runs the work may be dead, and then its promise never settles: the next request starts a new flight.
        if (error === late && this.#flights.get(key) === flight) this.#flights.delete(key);
        if (error === late || !known || !isForOthersOnly(known, passenger, error)) throw error;
      } finally {
        flight.passengers.delete(passenger);
      }
    }
  }

  #start(key: string, passenger: Passenger, { run, keep }: FlightWork<T>): Flight<T> {
    const passengers = new Set<Passenger>([passenger]);
    const isAbandoned = () => [...passengers].every((other) => other.isCancelled());
    const end = () => {
      if (this.#flights.get(key)?.promise === promise) this.#flights.delete(key);
    };
    // A failed flight is removed before its passengers get the error, so that one of them can start the next.
    const promise = run(isAbandoned).catch((error: unknown) => {
      end();
      throw error;
    });
    const kept = promise.then((value) => keep?.(value));
    const keptInTime = withTimeout(kept, Math.max(1, passenger.deadline - Date.now()), outOfTime);
    passenger.keepAlive(keptInTime.catch(() => undefined).finally(end));
    const flight = { promise, passengers, deadline: passenger.deadline };
    this.#flights.set(key, flight);
    return flight;
  }
}

function outOfTime(): CodedError {
  return new CodedError('overloaded', 'The answer did not come before the deadline.', {
    retryAfterSeconds: 1,
  });
}

/**
 * Whether a passenger should run the work itself, because the flight had less time, or was already given up when the
 * passenger joined.
 */
function isForOthersOnly({ deadline }: Flight<unknown>, passenger: Passenger, error: unknown): boolean {
  if (!(error instanceof CodedError)) return false;
  if (error.code === 'client_closed') return !passenger.isCancelled();
  return error.retryAfterSeconds !== undefined && deadline < passenger.deadline;
}
