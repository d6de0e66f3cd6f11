import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createFsModelStore } from '../../src/model/fs-model-store.ts';
import { describeModelStore } from './model-store-suite.ts';

const root = await mkdtemp(join(tmpdir(), 'models-'));

describeModelStore('a folder', createFsModelStore(root), async (key, bytes) => {
  await mkdir(dirname(join(root, key)), { recursive: true });
  await writeFile(join(root, key), bytes);
});
