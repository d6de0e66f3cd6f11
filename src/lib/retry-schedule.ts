/** Seconds after each failed attempt until the next, as Standard Webhooks advises: over three days in all. */
const scheduleSeconds = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400] as const;

/** A delay is drawn from 1 to 1.2 times its step, so that receivers that failed together are not hit together. */
const jitter = 0.2;

/** Attempts before a delivery is given up: the first one and one after each step. */
export const maxDeliveryAttempts = scheduleSeconds.length + 1;

/**
 * @param attempts how many have failed, at least 1.
 * @param retryAfterSeconds the wait that the receiver asked for; used if it is longer than the schedule's.
 * @param random in [0, 1).
 * @returns Whole seconds to wait, or undefined to give up.
 */
export function nextDeliveryDelay(
  attempts: number,
  retryAfterSeconds?: number,
  random: number = Math.random(),
): number | undefined {
  const step = scheduleSeconds[attempts - 1];
  if (step === undefined) return undefined;
  const longest = scheduleSeconds.at(-1)!;
  const wanted = Math.min(Math.max(step, retryAfterSeconds ?? 0), longest);
  return Math.ceil(wanted * (1 + jitter * random));
}

/**
 * `Retry-After`, RFC 9110 section 10.2.3: seconds or an HTTP date.
 *
 * @returns Whole seconds from `now`, at least 0; undefined if there is no such header or it cannot be read.
 */
export function parseRetryAfter(header: string | null, now: number = Date.now()): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - now) / 1000));
}
