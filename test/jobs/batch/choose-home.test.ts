import { expect, test } from 'vitest';
import { chooseHome } from '../../../src/jobs/batch/choose-home.ts';

const owners = Array.from({ length: 200 }, (_, i) => `owner ${i}`);
const homes = (databases: number) => Promise.all(owners.map((owner) => chooseHome(owner, databases)));

test('every database has its share of the owners', async () => {
  const chosen = await homes(4);
  for (const database of [1, 2, 3, 4]) {
    const share = chosen.filter((home) => home === database).length;
    // 50 of 200, give or take four deviations of 6.
    expect(share).toBeGreaterThan(26);
    expect(share).toBeLessThan(74);
  }
});

test('one more database takes owners to itself, and moves nobody between the others', async () => {
  const [before, after] = [await homes(3), await homes(4)];
  after.forEach((home, i) => {
    if (home !== 4) expect(home).toBe(before[i]);
  });
  expect(after).toContain(4);
});

test.each([
  ['alice', 3],
  ['bob', 1],
  ['carol', 3],
  ['dave', 2],
])(
  'the home of %s among three is %i, as it was before: the greatest SHA-256 of number and owner',
  async (owner, home) => {
    expect(await chooseHome(owner, 3)).toBe(home);
  },
);

test('one alone has all', async () => {
  expect(new Set(await homes(1))).toEqual(new Set([1]));
});
