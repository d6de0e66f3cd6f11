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

interface Flight<T> {
  readonly promise: Promise<T>;
  /** The deadline of the passenger that runs the work. The work stops there, even if others have more time. */
  readonly deadline: number;
  readonly passengers: Set<Passenger>;
}

/**
 * Lets identical work that is asked for at the same time run once. It runs in the request that asked first and is
 * kept alive beyond it; it may stop once every passenger's client has gone. If it runs out of time, a passenger that
 * has more time runs it again. So does a passenger that joined while it was stopping.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /**
   * @param run `isAbandoned` tells whether anybody still waits for the result.
   * @returns the result, and whether somebody else's run gave it.
   * @throws {CodedError} `overloaded` at the deadline; whatever `run` throws.
   */
  async join(
    key: string,
    passenger: Passenger,
    run: (isAbandoned: () => boolean) => Promise<T>,
  ): Promise<{ readonly value: T; readonly shared: boolean }> {
    for (;;) {
      const known = this.#flights.get(key);
      const flight = known ?? this.#start(key, passenger, run);
      flight.passengers.add(passenger);
      const late = new CodedError('overloaded', 'The answer did not come before the deadline.', {
        retryAfterSeconds: 1,
      });
      try {
        const left = Math.max(1, passenger.deadline - Date.now());
        return { value: await withTimeout(flight.promise, left, () => late), shared: known !== undefined };
      } catch (error) {
        // The request that runs it may be dead, and its promise with it: the next one starts anew.
        if (error === late && this.#flights.get(key) === flight) this.#flights.delete(key);
        if (error === late || !known || !isForOthersOnly(known, passenger, error)) throw error;
      } finally {
        flight.passengers.delete(passenger);
      }
    }
  }

  #start(key: string, passenger: Passenger, run: (isAbandoned: () => boolean) => Promise<T>): Flight<T> {
    const passengers = new Set<Passenger>([passenger]);
    const isAbandoned = () => [...passengers].every((other) => other.isCancelled());
    const promise = run(isAbandoned).finally(() => {
      if (this.#flights.get(key)?.promise === promise) this.#flights.delete(key);
    });
    passenger.keepAlive(promise.catch(() => undefined));
    const flight = { promise, passengers, deadline: passenger.deadline };
    this.#flights.set(key, flight);
    return flight;
  }
}

/**
 * Whether a passenger should run the work itself: the flight had less time, or was given up when this passenger
 * joined.
 */
function isForOthersOnly({ deadline }: Flight<unknown>, passenger: Passenger, error: unknown): boolean {
  if (!(error instanceof CodedError)) return false;
  if (error.code === 'client_closed') return !passenger.isCancelled();
  return error.retryAfterSeconds !== undefined && deadline < passenger.deadline;
}
