import webpModule from '@jsquash/webp/codec/dec/webp_dec.wasm';
import { PixelRoutines } from '../../src/image/pixel-arena.ts';
import pixelRoutines from '../../src/image/pixel-routines.wasm';
import { describePixelCases } from '../image/pixel-cases.ts';
import { findFile, readFile } from './env.ts';

/** As test/image/pixel-cases.test.ts does it in Node. */
await describePixelCases({
  readFixture: (path) => readFile(`fixtures/${path}`),
  readShared: (path) => findFile(`shared/${path}`),
  routines: new PixelRoutines(pixelRoutines),
  loadWebpModule: async () => webpModule,
});
