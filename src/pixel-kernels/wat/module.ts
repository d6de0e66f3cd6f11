import { wasmModule } from '../../lib/wasm-text/function.ts';
import { precisionBits } from '../../preprocess/resample-kernel.ts';
import { idctIslow } from './idct-islow.ts';
import { idct2, idct4 } from './idct-mean.ts';
import { decodeAcRefinement } from './progressive-refinement.ts';
import { decodeAcFirst, decodeDcFirst, decodeDcRefinement } from './progressive-scan.ts';
import { reconstructRow } from './reconstruct.ts';
import { resizeRow } from './resize-row.ts';
import { decodeSequential } from './sequential-scan.ts';
import { unstuff } from './unstuff.ts';
import { fancyH2V1, fancyH2V2 } from './upsample.ts';
import { addWeighted, addWeightedRows, finishSums } from './weighted-sums.ts';
import { yccToRgb } from './ycc-to-rgb.ts';

/** All pixel kernels as WebAssembly text: SIMD and nothing newer. */
export function writePixelModule(): string {
  return wasmModule([
    ...[resizeRow(precisionBits), addWeighted, addWeightedRows, finishSums(precisionBits)],
    ...[yccToRgb, fancyH2V1, fancyH2V2, idctIslow, idct4, idct2],
    ...[unstuff, decodeSequential, decodeDcFirst, decodeDcRefinement, decodeAcFirst, decodeAcRefinement],
    reconstructRow,
  ]);
}
