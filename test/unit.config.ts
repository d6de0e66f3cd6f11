import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** `npm run test:unit`: what needs no build and no workerd, without the long lists of images. */
export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    include: [
      'test/architecture.test.ts',
      'test/docs/**/*.test.ts',
      'test/{classify,http,image,jobs,learn,lib,model,protocol,web}/**/*.test.ts',
      'test/tier/client/**/*.test.ts',
      'test/tier/server/{dynamic-batcher,worker-pool}.test.ts',
      'test/toolchain/onnx/**/*.test.ts',
    ],
    exclude: ['test/image/{memory,linear-cost,pixel-cases,fast-mode}.test.ts'],
    testTimeout: 60_000,
    // Vitest leaves a core for its own thread, which has nothing to do.
    maxWorkers: availableParallelism(),
  },
});
