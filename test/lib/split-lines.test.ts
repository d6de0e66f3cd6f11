import { expect, it } from 'vitest';
import { splitLines } from '../../src/lib/split-lines.ts';

const encoder = new TextEncoder();

async function collect(pieces: readonly (string | Uint8Array)[], maxCharacters = 10): Promise<string[]> {
  const chunks = (async function* () {
    for (const piece of pieces) yield typeof piece === 'string' ? encoder.encode(piece) : piece;
  })();
  const lines: string[] = [];
  for await (const line of splitLines(chunks, maxCharacters, () => new Error('too long'))) lines.push(line);
  return lines;
}

it('gives the lines whatever pieces they come in, the last one with or without its end', async () => {
  expect(await collect(['ab\n', 'c', '', 'd\n\ne'])).toEqual(['ab', 'cd', '', 'e']);
  expect(await collect(['ab\ncd\n'])).toEqual(['ab', 'cd']);
  expect(await collect([])).toEqual([]);
});

it('puts characters together that pieces divide', async () => {
  const bytes = encoder.encode('é\n€');
  expect(await collect(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(['é', '€']);
});

it('shows that a character is cut', async () => {
  expect(await collect(['ab', encoder.encode('€').subarray(0, 2)])).toEqual(['ab\ufffd']);
});

it('refuses a line that is too long as soon as it is, in one piece or many', async () => {
  expect(await collect(['1234567890\n1234567890'])).toHaveLength(2);
  await expect(collect(['12345678901'])).rejects.toThrow('too long');
  await expect(collect(['123456', '78901'])).rejects.toThrow('too long');
  await expect(collect(['a\n12345678901\n'])).rejects.toThrow('too long');
});
