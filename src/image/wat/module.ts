import { wasmModule } from '../../lib/wasm-text/function.ts';
import { scanTableFunctions } from '../codecs/jpeg/wat/build-table.ts';
import { idctIslow } from '../codecs/jpeg/wat/idct-islow.ts';
import { idct2, idct4 } from '../codecs/jpeg/wat/idct-mean.ts';
import { decodeAcRefinement } from '../codecs/jpeg/wat/progressive-refinement.ts';
import { decodeAcFirst, decodeDcFirst, decodeDcRefinement } from '../codecs/jpeg/wat/progressive-scan.ts';
import { reconstructRow } from '../codecs/jpeg/wat/reconstruct.ts';
import { decodeSequential } from '../codecs/jpeg/wat/sequential-scan.ts';
import { unstuff } from '../codecs/jpeg/wat/unstuff.ts';
import { fancyH2V1, fancyH2V2 } from '../codecs/jpeg/wat/upsample.ts';
import { yccToPlanes, yccToRgb } from '../codecs/jpeg/wat/ycc-to-rgb.ts';
import { crc32 } from '../codecs/png/wat/crc32.ts';
import { unfilterAverage, unfilterPaeth, unfilterSub, unfilterUp } from '../codecs/png/wat/unfilter.ts';
import { inverseWht } from '../codecs/webp/vp8/wat/inverse-wht.ts';
import { loopFilters } from '../codecs/webp/vp8/wat/loop-filter.ts';
import { macroblockFunctions } from '../codecs/webp/vp8/wat/macroblock.ts';
import { readResiduals } from '../codecs/webp/vp8/wat/residuals.ts';
import { upsampleRgb } from '../codecs/webp/vp8/wat/upsample.ts';
import { adler32 } from '../inflate/wat/adler32.ts';
import { readBlockHeader } from '../inflate/wat/block-header.ts';
import { decodeSymbols } from '../inflate/wat/decode-symbols.ts';
import { buildTable } from '../inflate/wat/huffman-table.ts';
import { pairLiterals } from '../inflate/wat/pair-literals.ts';
import { copyStored } from '../inflate/wat/stored.ts';
import { precisionBits } from '../resample/filter.ts';
import { resizePlanes } from '../resample/wat/resize-planes.ts';
import { resizeRow } from '../resample/wat/resize-row.ts';
import { addWeighted, addWeightedRows, finishSums } from '../resample/wat/weighted-sums.ts';

/** All routines on pixels as WebAssembly text: SIMD and nothing newer. */
export function writePixelModule(): string {
  return wasmModule([
    ...[
      resizeRow(precisionBits),
      resizePlanes(precisionBits),
      addWeighted,
      addWeightedRows,
      finishSums(precisionBits),
    ],
    ...[yccToRgb, yccToPlanes, fancyH2V1, fancyH2V2, idctIslow, idct4, idct2],
    ...[unstuff, decodeSequential, decodeDcFirst, decodeDcRefinement, decodeAcFirst, decodeAcRefinement],
    ...[...scanTableFunctions, reconstructRow],
    ...[buildTable, readBlockHeader, pairLiterals, decodeSymbols, copyStored, adler32],
    ...[inverseWht, readResiduals, ...macroblockFunctions, ...loopFilters, upsampleRgb],
    ...[crc32, unfilterSub, unfilterUp, unfilterAverage, unfilterPaeth],
  ]);
}
