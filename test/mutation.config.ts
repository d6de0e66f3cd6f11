import { defineConfig } from 'vitest/config';

/** The tests that judge mutants (`npm run mutate`): those of rooms without I/O, without a build, fast. */
export default defineConfig({
  test: {
    include: [
      'test/classify/{is-unknown,scores}.test.ts',
      'test/http/access/**/*.test.ts',
      'test/image/{exif-orientation,image-to-fit,probe,to-tensor}.test.ts',
      'test/image/codecs/jpeg/huffman.test.ts',
      'test/image/{codecs/png,resample}/**/*.test.ts',
      'test/image/inflate/{inflate-stream,plain-header,plain-inflater,plain-tables}.test.ts',
      'test/jobs/batch/{batch-id,choose-home}.test.ts',
      'test/lib/*.test.ts',
      'test/model/{manifest,memory-budget}.test.ts',
      'test/protocol/**/*.test.ts',
      'test/tier/server/dynamic-batcher.test.ts',
      'test/toolchain/quantize/{activation-range,calibrate,insert-qdq,quantize-model,quantize-values}.test.ts',
      'test/toolchain/quantize/normalise/*.test.ts',
    ],
    testTimeout: 60_000,
  },
});
