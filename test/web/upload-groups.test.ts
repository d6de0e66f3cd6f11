import { describe, expect, it } from 'vitest';
import { toUploadGroups } from '../../src/web/teach/upload-groups.ts';

const MiB = 1024 * 1024;
const toSizes = (groups: readonly (readonly { readonly size: number }[])[]) =>
  groups.map((group) => group.map(({ size }) => size / MiB));

describe('toUploadGroups', () => {
  it('keeps the order, at most sixteen files and 16 MiB a request', () => {
    const files = [6, 6, 6, 1].map((size) => ({ size: size * MiB }));
    expect(toSizes(toUploadGroups(files))).toEqual([
      [6, 6],
      [6, 1],
    ]);
    expect(
      toUploadGroups(Array.from({ length: 33 }, () => ({ size: 1 }))).map(({ length }) => length),
    ).toEqual([16, 16, 1]);
  });

  it('sends a file that is too large alone, so that it spoils no other', () => {
    const files = [1, 30, 1].map((size) => ({ size: size * MiB }));
    expect(toSizes(toUploadGroups(files))).toEqual([[1], [30], [1]]);
  });

  it('makes no request of nothing', () => expect(toUploadGroups([])).toEqual([]));
});
