import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseImageHeader } from '../../src/image/probe.ts';
import { decodeToFrame, decodeWith } from './decode-to-frame.ts';
import { edgeCases, goldens, readEdgeCase, readFixture } from './fixtures.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('each decoder by itself gives the pixels Pillow shows', () => {
  it.each(Object.keys(edgeCases.files))('%s', async (name) => {
    expect(sha256(await decodeToFrame(readEdgeCase(name)))).toBe(edgeCases.files[name]!.stored_sha256);
  });
});

/** A decoder may skip what the sink does not read; what it does read has to be the same. */
describe('a part of an image is as in the whole', () => {
  const names = Object.keys(goldens.files).filter((name) => !name.startsWith('odd-1x1'));

  it.each(names)('%s', async (name) => {
    const bytes = readFixture(name);
    const header = parseImageHeader(bytes);
    const { width, height } = header;
    const whole = await decodeToFrame(bytes);
    for (const [x, y, share] of [
      [0, 0, 0.3],
      [0.4, 0.55, 0.2],
      [0.35, 0.9, 0.6],
    ] as const) {
      const left = Math.floor(width * x);
      const top = Math.floor(height * y);
      const right = Math.min(width, left + Math.ceil(width * share));
      const bottom = Math.min(height, top + Math.ceil(height * share));
      const rows: number[] = [];
      const differing: number[] = [];
      await decodeWith(bytes, header, {
        window: { left, top, right, bottom },
        writeRow: (row, at) => {
          rows.push(at);
          const expected = whole.subarray((at * width + left) * 3, (at * width + right) * 3);
          if (Buffer.compare(row.subarray(left * 3, right * 3), expected) !== 0) differing.push(at);
        },
      });
      expect(rows).toEqual(Array.from({ length: bottom - top }, (_, i) => top + i));
      expect(differing).toEqual([]);
    }
  });
});

describe('src/image/README.md', () => {
  it('shows an example that runs', async () => {
    const room = new URL('../../src/image/', import.meta.url);
    const readme = await readFile(new URL('README.md', room), 'utf8');
    const [, example = ''] = /```ts\n(.*?)```/s.exec(readme) ?? [];
    const folder = await mkdtemp(join(tmpdir(), 'readme-'));
    try {
      // Its paths are relative to the folder it is about.
      await writeFile(`${folder}/example.ts`, example.replaceAll("'./", `'${fileURLToPath(room)}`));
      const { decodePngToRgb } = await import(/* @vite-ignore */ `${folder}/example.ts`);
      const { width, height, rgb } = await decodePngToRgb(readEdgeCase('tall.png'));
      expect([width, height]).toEqual([16, 60]);
      expect(sha256(rgb)).toBe(edgeCases.files['tall.png']!.stored_sha256);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
