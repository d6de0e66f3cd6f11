import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitJsonLines } from '../../src/http/batch-body/split-json-lines.ts';
import { maxBodyBytes, maxInputTextBytes } from '../../src/limits.ts';

interface Read {
  readonly number: number;
  readonly json: unknown;
  readonly image: string | undefined;
}

async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let index = 0; at < bytes.length; index++) {
    const size = sizes[index % sizes.length]!;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function read(text: string, sizes: readonly number[] = [1 << 16]): Promise<Read[]> {
  const lines: Read[] = [];
  const chunks = cut(new TextEncoder().encode(text), sizes);
  for await (const { number, text: line, image } of splitJsonLines(chunks, async () => undefined)) {
    if (line.trim() === '') continue;
    lines.push({ number, json: JSON.parse(line), image: image && Buffer.from(image).toString('hex') });
  }
  return lines;
}

const sizes = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 });

/** An image's text as clients write it: with escapes, as a data: URL, with line breaks. */
const spellings = [
  (base64: string) => JSON.stringify(base64),
  (base64: string) => `"${base64.replaceAll('/', '\\/')}"`,
  (base64: string) => `"${base64.replaceAll('+', '\\u002b')}"`,
  (base64: string) => JSON.stringify(`data:image/jpeg;base64,${base64}`),
  (base64: string) => JSON.stringify(`data:image/png;base64,${encodeURIComponent(base64)}`),
  (base64: string) => JSON.stringify(base64.replaceAll(/.{76}/g, '$&\r\n')),
  (base64: string) => JSON.stringify(base64.replace(/=+$/, '')),
];

describe('lines of NDJSON', () => {
  it('are what JSON.parse reads of each, wherever the bytes are cut', async () => {
    const value = fc.record(
      {
        url: fc.string({ unit: 'grapheme' }),
        image2: fc.string(),
        metadata: fc.json().map((text) => JSON.parse(text)),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(value, { maxLength: 6 }), sizes, async (rows, cuts) => {
        const text = rows.map((row) => JSON.stringify(row)).join('\n');
        const wanted = rows.map((row, index) => ({
          number: index + 1,
          json: JSON.parse(JSON.stringify(row)),
          image: undefined,
        }));
        expect(await read(text, cuts)).toEqual(wanted);
      }),
    );
  });

  it('give their image’s bytes, however it is spelled and wherever it is cut', async () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 3000 });
    await fc.assert(
      fc.asyncProperty(bytes, fc.constantFrom(...spellings), sizes, async (image, spell, cuts) => {
        const text = spell(Buffer.from(image).toString('base64'));
        const rows = [
          `{"name":"a\\"b","image":${text}}`,
          ` { "image" : ${text} , "name":"image\\": \\"x" }\r`,
        ];
        const hex = Buffer.from(image).toString('hex');
        expect(await read(rows.join('\n'), cuts)).toEqual([
          { number: 1, json: { name: 'a"b', image: '' }, image: hex },
          { number: 2, json: { name: 'image": "x', image: '' }, image: hex },
        ]);
      }),
      { numRuns: 300 },
    );
  });

  it('leave an image alone that is not the line’s own', async () => {
    expect(await read('{"metadata":{"image":"AAAA"}}\n\n{"url":"x"}')).toEqual([
      { number: 1, json: { metadata: { image: 'AAAA' } }, image: undefined },
      { number: 3, json: { url: 'x' }, image: undefined },
    ]);
  });

  it.each([
    ['base64_invalid', '{"url":"x"}\n{"image":"%%%%"}'],
    ['base64_invalid', `{"url":"x"}\n{"image":"${'A'.repeat(2000)}=AAA${'A'.repeat(100_000)}"}`],
    // Each escape was decoded anew with all before it.
    ['base64_invalid', `{"url":"x"}\n{"image":"AA==${'A'.repeat(50_000)}${'\\/'.repeat(100_000)}"}`],
    ['base64_invalid', `{"url":"x"}\n{"image":"data:text/plain,${'A'.repeat(2000)}"}`],
    ['body_empty', '{"url":"x"}\n{"image":""}'],
    ['json_invalid', '{"url":"x"}\n{"image":"AA\nAA"}'],
    ['json_invalid', '{"url":"x"}\n{"image":"AA\\xAA"}'],
    ['json_invalid', '{"url":"x"}\n{"image":"AAAA'],
    ['body_too_large', `{"url":"x"}\n{"url":"${'x'.repeat(maxInputTextBytes)}"}`],
    ['body_too_large', `{"url":"x"}\n{"image":"${'A'.repeat((maxBodyBytes / 3) * 4 + 100_000)}"}`],
  ])('refuse with %s, naming the line: %#', async (code, text) => {
    await expect(read(text)).rejects.toMatchObject({ code, message: expect.stringMatching(/^line 2: /) });
  });

  it('hold an image by what has come of it', async () => {
    const held: number[] = [];
    const text = new TextEncoder().encode(`{"image":"${'A'.repeat(4_000_000)}"}\n{"url":"x"}`);
    for await (const _ of splitJsonLines(cut(text, [100_000]), async (bytes) => void held.push(bytes)));
    expect(Math.max(...held)).toBeGreaterThanOrEqual(3_000_000);
    expect(held[3]).toBeLessThan(1_000_000);
    expect(held.at(-1)).toBe(0);
  });
});
