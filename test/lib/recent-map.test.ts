import { expect, test } from 'vitest';
import { RecentMap } from '../../src/lib/recent-map.ts';

function filled(maxWeight: number, ...entries: [key: string, weight?: number][]): RecentMap<string> {
  const map = new RecentMap<string>(maxWeight);
  for (const [key, weight] of entries) map.set(key, `value of ${key}`, weight);
  return map;
}
const held = (map: RecentMap<string>, keys: string) =>
  [...keys].filter((key) => map.get(key) !== undefined).join('');

test('keeps what fits, exactly too', () => {
  const map = filled(5, ['a', 2], ['b', 3]);
  expect(map.get('a')).toBe('value of a');
  expect(map.weight).toBe(5);
});

test('what was used longest ago makes room, as much as is needed', () => {
  const map = filled(5, ['a', 2], ['b', 2], ['c', 1]);
  map.get('a');
  map.set('d', '', 2);
  expect(held(map, 'abcd')).toBe('acd');
  expect(map.weight).toBe(5);
});

test('an entry weighs 1 where nothing else is said', () => {
  expect(held(filled(2, ['a'], ['b'], ['c']), 'abc')).toBe('bc');
});

test('the newest entry stays, be it heavier than all that may be', () => {
  const map = filled(5, ['a', 2], ['b', 9]);
  expect(held(map, 'ab')).toBe('b');
  expect(map.weight).toBe(9);
});

test('an entry that is set anew weighs what it weighs now, and is the newest', () => {
  const map = filled(5, ['a', 1], ['b', 1]);
  map.set('a', 'new', 3);
  expect(map.weight).toBe(4);
  map.set('c', '', 2);
  expect(held(map, 'abc')).toBe('ac');
  expect(map.get('a')).toBe('new');
});

test('what is deleted weighs nothing, also the second time', () => {
  const map = filled(5, ['a', 2], ['b', 1]);
  map.delete('a');
  map.delete('a');
  expect(map.get('a')).toBeUndefined();
  expect(map.weight).toBe(1);
});
