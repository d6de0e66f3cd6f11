import { describe, expect, it } from 'vitest';
import { adviseOnPhotos } from '../../src/web/teach/advice.ts';

const toClass = (label: string, scenes: number, recall?: number) => ({
  label,
  photos: scenes,
  scenes,
  recall,
});

describe('adviseOnPhotos', () => {
  it('asks for another view of a class with few scenes, however well it is recognised', () => {
    const advice = adviseOnPhotos({
      per_class: [toClass('apple', 9, 0.5), toClass('pear', 1, 1)],
      helps_most: 'apple',
    });
    expect(advice?.className).toBe('pear');
    expect(advice?.reason).toContain('one scene');
  });

  it('follows the service where every class has scenes enough', () => {
    const per_class = [toClass('apple', 9, 0.9), toClass('pear', 8, 0.75)];
    expect(adviseOnPhotos({ per_class, helps_most: 'pear' })).toEqual({
      className: 'pear',
      reason: '75 in 100 of its photos are recognised.',
    });
  });

  it('says nothing where all are recognised, or nothing is known', () => {
    expect(adviseOnPhotos({ per_class: [toClass('apple', 9, 1)], helps_most: 'apple' })).toBeUndefined();
    expect(adviseOnPhotos({ per_class: [toClass('apple', 9)], helps_most: undefined })).toBeUndefined();
    expect(adviseOnPhotos({ per_class: [], helps_most: undefined })).toBeUndefined();
  });
});
