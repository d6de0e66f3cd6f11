import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { auxiliaryEdge } from './workerd/auxiliary-edge.ts';

const root = new URL('..', import.meta.url).pathname;

export default defineConfig({
  root,
  test: {
    globalSetup: ['test/build-edge.ts'],
    projects: [
      {
        root,
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ['test/workerd/**', 'test/edge/**', 'test/browser/**'],
          testTimeout: 60_000,
        },
      },
      {
        // The built Worker, driven from Node over HTTP; each file starts workerd processes of its own.
        root,
        test: {
          name: 'edge',
          include: ['test/edge/**/*.test.ts', 'test/browser/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
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
