import { describe, expect, test } from 'vitest';
import { type FaxCoding, FaxReader } from '../../../../src/image/codecs/tiff/ccitt/fax-reader.ts';
import { setBits } from '../../../../src/image/codecs/tiff/ccitt/set-bits.ts';

/** Lines of 16 pixels, X for black, of a strip that is written as bits. */
function read(coding: FaxCoding, bits: string, lines: number) {
  const text = bits.replaceAll(' ', '');
  const padded = text.padEnd(Math.ceil(text.length / 8) * 8, '0');
  const strip = Uint8Array.from(padded.match(/.{8}/g)!, (byte) => Number.parseInt(byte, 2));
  let damage = 0;
  const reader = new FaxReader(strip, coding, 16, () => damage++);
  const target = new Uint8Array(2);
  const shown = Array.from({ length: lines }, () => {
    reader.read(target);
    const line = [...target].map((byte) => byte.toString(2).padStart(8, '0')).join('');
    return line.replaceAll('0', '.').replaceAll('1', 'X');
  });
  return { shown, damage };
}

// ITU-T T.4 table 2: white runs of 2 0111, 4 1011, 7 1111, 16 101010; black ones of 3 10, 2 11, 4 011, 9 000100.
const white = { 0: '00110101', 2: '0111', 4: '1011', 5: '1100', 7: '1111', 16: '101010' };
const black = { 0: '0000110111', 2: '11', 3: '10', 4: '011', 9: '000100', 16: '0000010111' };
const endOfLine = '000000000001';

describe('lines in one dimension', () => {
  const line = `${white[4]} ${black[3]} ${white[7]} ${black[2]}`;
  const picture = '....XXX.......XX';

  test('each begins at a byte in modified Huffman', () => {
    // 4 + 2 + 4 + 2 bits, and four to the next byte.
    const second = `${white[0]} ${black[16]}`;
    expect(read('huffman', `${line} 0000 ${second}`, 2)).toEqual({
      shown: [picture, 'X'.repeat(16)],
      damage: 0,
    });
  });

  test('stand behind an end of line in group 3, with or without zeros before it', () => {
    const bits = `${endOfLine} ${line} 000000 ${endOfLine} ${white[16]}`;
    expect(read('group3', bits, 2)).toEqual({ shown: [picture, '.'.repeat(16)], damage: 0 });
  });

  test('one that is too short is white to its end, and damaged', () => {
    const bits = `${endOfLine} ${white[4]} ${black[3]} ${endOfLine} ${line}`;
    expect(read('group3', bits, 2)).toEqual({ shown: ['....XXX.........', picture], damage: 1 });
  });

  test('of one that is too long the rest is dropped', () => {
    const bits = `${endOfLine} ${white[4]} ${black[9]} ${white[7]} ${endOfLine} ${line}`;
    const { shown, damage } = read('group3', bits, 2);
    expect(shown[1]).toBe(picture);
    expect(damage).toBe(1);
  });

  test('that are missing are truncated', () => {
    expect(() => read('huffman', line, 4)).toThrow(expect.objectContaining({ code: 'image_truncated' }));
  });
});

// ITU-T T.4 table 4.
const pass = '0001';
const horizontal = '001';
const vertical = { 0: '1', R1: '011', R2: '000011', R3: '0000011', L1: '010', L2: '000010', L3: '0000010' };

describe('lines in two dimensions', () => {
  const first = `${horizontal} ${white[4]} ${black[3]} ${vertical[0]}`;
  const above = '....XXX.........';

  test.each([
    ['the same line again', `${vertical[0]} ${vertical[0]} ${vertical[0]}`, above],
    [
      'changes 1 to the right, 1 to the left',
      `${vertical.R1} ${vertical.L1} ${vertical[0]}`,
      '.....X..........',
    ],
    [
      'changes 2 to the left, 2 to the right',
      `${vertical.L2} ${vertical.R2} ${vertical[0]}`,
      '..XXXXXXX.......',
    ],
    [
      'changes 3 to the left, 3 to the right',
      `${vertical.L3} ${vertical.R3} ${vertical[0]}`,
      '.XXXXXXXXX......',
    ],
    ['changes 2 and 3 to the right', `${vertical.R2} ${vertical.R3} ${vertical[0]}`, '......XXXX......'],
    ['a run that ends, which is passed', `${pass} ${vertical[0]}`, '................'],
    [
      'a passed run before others',
      `${pass} ${horizontal} ${white[2]} ${black[2]} ${vertical[0]}`,
      '.........XX.....',
    ],
    [
      'runs before the one above',
      `${horizontal} ${white[0]} ${black[2]} ${vertical[0]} ${vertical[0]} ${vertical[0]}`,
      'XX..XXX.........',
    ],
  ])('%s', (_, second, shown) => {
    expect(read('group4', `${first} ${second} ${endOfLine} ${endOfLine}`, 2)).toEqual({
      shown: [above, shown],
      damage: 0,
    });
  });

  test('behind the end of a fax all is white, and damaged', () => {
    const { shown, damage } = read('group4', `${first} ${endOfLine} ${endOfLine}`, 3);
    expect(shown.slice(2)).toEqual(['................']);
    expect(damage).toBeGreaterThan(0);
  });

  test('in group 3 a bit says of each how many it has', () => {
    const bits = `${endOfLine} 1 ${white[4]} ${black[3]} ${white[5]} ${black[4]} ${endOfLine} 0 ${vertical[0].repeat(2)} ${vertical.R1} ${vertical[0]}`;
    expect(read('group3TwoDimensional', bits, 2).shown).toEqual(['....XXX.....XXXX', '....XXX......XXX']);
  });
});

test('bits are set from one place to before another, across bytes', () => {
  for (let start = 0; start < 24; start++) {
    for (let end = start; end <= 24; end++) {
      const target = new Uint8Array(3);
      setBits(target, start, end);
      const shown = [...target].map((byte) => byte.toString(2).padStart(8, '0')).join('');
      expect(shown).toBe('0'.repeat(start) + '1'.repeat(end - start) + '0'.repeat(24 - end));
    }
  }
});
