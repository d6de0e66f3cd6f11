import { availableParallelism } from 'node:os';
import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { LongFilesFirst } from './long-files-first.ts';
import { auxiliaryEdge } from './workerd/auxiliary-edge.ts';

const root = new URL('..', import.meta.url).pathname;
/** What is waited for comes, or the test's own time ends it: a machine that is busy is no failure. */
const expect = { poll: { timeout: 50_000 } };

export default defineConfig({
  root,
  test: {
    globalSetup: ['test/build-edge.ts'],
    // One more than there are cores: tests wait for workerd, for timeouts and for processes half of their time.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongFilesFirst },
    projects: [
      {
        root,
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ['test/workerd/**', 'test/edge/**', 'test/browser/**'],
          testTimeout: 60_000,
          expect,
        },
      },
      {
        // The built Worker, driven from Node over HTTP. Each file starts workerd processes of its own, on free ports.
        root,
        test: {
          name: 'edge',
          include: ['test/edge/**/*.test.ts', 'test/browser/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect,
        },
      },
      {
        // Tests that themselves run inside workerd, with the built Worker as a neighbour.
        root,
        plugins: [cloudflareTest(async () => ({ miniflare: await auxiliaryEdge() }))],
        test: { name: 'workerd', include: ['test/workerd/**/*.test.ts'], testTimeout: 60_000 },
      },
    ],
  },
});
