import { describe, expect, it } from 'vitest';
import {
  either,
  flag,
  list,
  number,
  optional,
  record,
  text,
  UnexpectedAnswer,
} from '../../src/web/service/readers.ts';

describe('readers', () => {
  const read = record({ name: text, score: number, seen: optional(flag), tags: list(text) });

  it('give the fields that are asked for, and ignore others', () => {
    expect(read({ name: 'a', score: 1, seen: null, tags: ['b'], more: 1 })).toEqual({
      name: 'a',
      score: 1,
      seen: undefined,
      tags: ['b'],
    });
  });

  it.each([
    [{ name: 1, score: 1, tags: [] }, 'name is not text.'],
    [{ name: 'a', score: '1', tags: [] }, 'score is not a number.'],
    [{ name: 'a', score: 1, tags: [1] }, 'tags[0] is not text.'],
    [{ name: 'a', score: 1, tags: [], seen: 1 }, 'seen is not true or false.'],
    [[], 'The answer is not an object.'],
    [null, 'The answer is not an object.'],
  ])('refuse %j', (value, message) => {
    expect(() => read(value)).toThrow(new UnexpectedAnswer(message));
  });

  it('take the first shape that fits', () => {
    const readResult = list(either(record({ id: text }), record({ problem: text })));
    expect(readResult([{ id: 'a' }, { problem: 'b' }])).toEqual([{ id: 'a' }, { problem: 'b' }]);
  });
});
