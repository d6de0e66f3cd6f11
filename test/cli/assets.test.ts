import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verifyAssets } from '../../src/cli/assets.ts';
import { assetsDir } from '../../src/cli/paths.ts';

let copy: string;
beforeEach(async () => {
  copy = await mkdtemp(join(tmpdir(), 'assets-'));
  await cp(assetsDir, copy, { recursive: true });
});
afterEach(() => rm(copy, { recursive: true }));

describe('verifyAssets', () => {
  it('passes what is committed', async () => {
    expect([...(await verifyAssets(copy)).keys()]).toContain('resnet18-imagenet1k/3/model.rni8');
  });
  it.each(['model.onnx', 'labels.json'])('names %s when one bit of it differs', async (file) => {
    const path = join(copy, 'resnet18-imagenet1k/3', file);
    const bytes = await readFile(path);
    bytes[1000]! ^= 1;
    await writeFile(path, bytes);
    await expect(verifyAssets(copy)).rejects.toThrow(`${file} has SHA-256`);
  });
  it('names a file that is missing, and one that nobody asked for', async () => {
    await writeFile(join(copy, 'resnet18-imagenet1k/3/extra.bin'), 'x');
    await expect(verifyAssets(copy)).rejects.toThrow('extra.bin belongs to no manifest');
    await rm(join(copy, 'resnet18-imagenet1k/3/extra.bin'));
    await rm(join(copy, 'resnet18-imagenet1k/3/model.onnx'));
    await expect(verifyAssets(copy)).rejects.toThrow('model.onnx is missing');
  });
  it('names a version of the catalogue that is not there', async () => {
    await writeFile(
      join(copy, 'catalog.json'),
      JSON.stringify({ default_model: 'a', models: [{ name: 'a', version: '1' }] }),
    );
    await expect(verifyAssets(copy)).rejects.toThrow('a/1');
  });
});
