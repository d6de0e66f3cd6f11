import { describe, expect, it } from 'vitest';
import { maxDeliveryAttempts, nextDeliveryDelay, parseRetryAfter } from '../../src/lib/retry-schedule.ts';

/** "Time since start" of each attempt, as the specification's example schedule prints it. */
const printed = [
  '00:00:00',
  '00:00:05',
  '00:05:05',
  '00:35:05',
  '02:35:05',
  '07:35:05',
  '17:35:05',
  '31:35:05',
  '51:35:05',
  '75:35:05',
];

function timesSinceStart(random: number): number[] {
  const times = [0];
  for (let failed = 1; ; failed++) {
    const delay = nextDeliveryDelay(failed, undefined, random);
    if (delay === undefined) return times;
    times.push(times.at(-1)! + delay);
  }
}

describe('the retry schedule', () => {
  const expected = printed.map((text) => {
    const [hours, minutes, seconds] = text.split(':').map(Number);
    return hours! * 3600 + minutes! * 60 + seconds!;
  });

  it('is that of the Standard Webhooks specification, to the second', () => {
    expect(timesSinceStart(0)).toEqual(expected);
    expect(maxDeliveryAttempts).toBe(expected.length);
  });

  it('comes up to a fifth later at random, never earlier', () => {
    for (const [attempt, time] of timesSinceStart(0.999_999).entries()) {
      expect(time).toBeGreaterThanOrEqual(expected[attempt]!);
      expect(time).toBeLessThanOrEqual(expected[attempt]! * 1.2 + attempt);
    }
  });

  it('gives way to a longer Retry-After, up to a day, and not to a shorter one', () => {
    expect(nextDeliveryDelay(1, 600, 0)).toBe(600);
    expect(nextDeliveryDelay(3, 600, 0)).toBe(1800);
    expect(nextDeliveryDelay(1, 10_000_000, 0)).toBe(86_400);
    expect(nextDeliveryDelay(expected.length, 600, 0)).toBeUndefined();
  });

  it('reads Retry-After as seconds or as a date', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    expect(parseRetryAfter('120', now)).toBe(120);
    expect(parseRetryAfter('Thu, 01 Jan 2026 00:02:00 GMT', now)).toBe(120);
    expect(parseRetryAfter('Wed, 31 Dec 2025 00:00:00 GMT', now)).toBe(0);
    expect(parseRetryAfter(' 120 ', now)).toBe(120);
    for (const other of ['soon', '120 s', 'at 120 h']) expect(parseRetryAfter(other, now)).toBeUndefined();
    expect(parseRetryAfter(null, now)).toBeUndefined();
  });
});
