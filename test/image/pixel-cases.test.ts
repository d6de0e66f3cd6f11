import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRoutines, loadWebpModule } from './fixtures.ts';
import { describePixelCases } from './pixel-cases.ts';

const shared = process.env.RESNET_EDGE_SHARED;

/** As test/workerd/pixel-cases.test.ts does it in workerd. */
await describePixelCases({
  // A plain Uint8Array: what a request body is.
  readFixture: async (path) =>
    new Uint8Array(await readFile(new URL(`../fixtures/${path}`, import.meta.url))),
  readShared: async (path) =>
    shared === undefined ? undefined : new Uint8Array(await readFile(join(shared, path))),
  routines: createRoutines(),
  loadWebpModule,
});
