import { expect, it } from 'vitest';
import { mergeCatalog } from '../../src/cli/merge-catalog.ts';

const toCatalog = (defaultModel: string, models: Record<string, string>) =>
  JSON.stringify({
    default_model: defaultModel,
    models: Object.entries(models).map(([name, version]) => ({ name, version })),
  });

const shipped = toCatalog('a', { a: '3', b: '1' });

it('an empty bucket gets what is shipped', () => {
  expect(mergeCatalog(shipped, undefined, undefined)).toBe(shipped);
});

it('a name follows the shipped version', () => {
  const last = toCatalog('a', { a: '2' });
  expect(JSON.parse(mergeCatalog(shipped, last, last))).toEqual(JSON.parse(shipped));
});

it('a name that was promoted keeps its version, and a name of the bucket alone stays', () => {
  const stored = toCatalog('c', { a: '1', c: '5' });
  const merged = mergeCatalog(shipped, stored, toCatalog('a', { a: '2' }));
  expect(JSON.parse(merged)).toEqual(JSON.parse(toCatalog('c', { a: '1', c: '5', b: '1' })));
});

it('without a note of what was shipped last, nothing that is there changes', () => {
  const stored = toCatalog('a', { a: '2', b: '1' });
  expect(mergeCatalog(shipped, stored, undefined)).toBe(stored);
});

it('an up-to-date bucket is left as it is, however it is written', () => {
  const stored = `${JSON.stringify(JSON.parse(shipped), undefined, 4)}\n`;
  expect(mergeCatalog(shipped, stored, shipped)).toBe(stored);
});

it('aliases that somebody pointed stay', () => {
  const aliases = { 'microsoft/resnet-50': 'a' };
  const stored = JSON.stringify({ ...JSON.parse(toCatalog('a', { a: '2' })), aliases });
  expect(JSON.parse(mergeCatalog(shipped, stored, toCatalog('a', { a: '2' })))).toEqual({
    ...JSON.parse(shipped),
    aliases,
  });
});
