import { expect, it } from 'vitest';
import { z } from 'zod';
import { formatIssue } from '../../src/lib/format-issue.ts';

const schema = z.strictObject({ inputs: z.array(z.strictObject({ name: z.string('must be text') })) });
const firstOf = (value: unknown) => schema.safeParse(value).error?.issues[0];

it('names the field that is wrong as one would write it', () => {
  expect(formatIssue(firstOf({ inputs: [{ name: 'a' }, { name: 5 }] }), 'the body')).toBe(
    'inputs[1].name: must be text',
  );
});

it('names the whole where no field is wrong', () => {
  expect(formatIssue(firstOf({ inputs: [], more: 1 }), 'the body')).toMatch(/^the body: .*"more"/);
  expect(formatIssue(undefined, 'the body')).toBe('the body: not valid');
});
