/**
 * Learning is seconds of arithmetic. A host that needs its thread for other work gives a pace: learning calls it before
 * each piece of arithmetic, and awaits its result.
 *
 * @param products multiplications and additions that come next.
 * @returns undefined to go on at once.
 */
export type Pace = (products: number) => Promise<void> | undefined;

/** For a process that does nothing else. */
export const withoutPauses: Pace = () => undefined;

/**
 * @param pause lets others have their turn.
 * @param products between two pauses: 20 million take about 20 ms.
 */
export function createPace(pause: () => Promise<void>, products = 20e6): Pace {
  let done = 0;
  return (next) => {
    done += next;
    if (done < products) return undefined;
    done = 0;
    return pause();
  };
}
