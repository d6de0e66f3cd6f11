import { describe, expect, it } from 'vitest';
import { formatCount, formatMs, formatShare } from '../../src/web/dom/format.ts';
import { parseServerTiming } from '../../src/web/service/classify.ts';

describe('formatShare', () => {
  it.each([
    [0, '0 %'],
    [0.0004, '< 0.1 %'],
    [0.004, '0.4 %'],
    [0.456, '46 %'],
    [0.994, '99.4 %'],
    [0.9999, '> 99.9 %'],
    [1, '100 %'],
  ])('%d is %s', (share, words) => expect(formatShare(share)).toBe(words));
});

it('formats counts and times', () => {
  expect([formatCount(1, 'photo'), formatCount(2, 'photo')]).toEqual(['1 photo', '2 photos']);
  expect([formatMs(1.25), formatMs(80.4)]).toEqual(['1.3 ms', '80 ms']);
});

it('reads Server-Timing, and leaves out what it does not know', () => {
  expect(parseServerTiming('decode;dur=12.5, inference;dur=30, cache;desc="hit"')).toEqual([
    { name: 'decode', milliseconds: 12.5 },
    { name: 'inference', milliseconds: 30 },
  ]);
  expect(parseServerTiming('')).toEqual([]);
});
