import { i32Local, i32Locals, i64Locals, type Local } from '../../../../lib/wasm-text/expression.ts';
import type { scanLayout } from '../wasm/layout.ts';

/* Locals that all routines of scans have, and the parameter of each. */

/** Address of the scan, which has the fields of `scanLayout` (../wasm/layout.ts). */
export const scan = i32Local('scan');
/** Address of one of its components. */
export const component = i32Local('component');

/** Fetched bits, left-aligned: the next bits of the stream are the highest. */
export const [bits, savedBits, pair] = i64Locals('bits', 'savedBits', 'pair');

export type ScanField = keyof typeof scanLayout;
/** Fields of a scan that routines copy to locals of the same name. */
export const scanLocals = {
  count: i32Local('count'),
  position: i32Local('position'),
  end: i32Local('end'),
  stop: i32Local('stop'),
  mcu: i32Local('mcu'),
  mcuEnd: i32Local('mcuEnd'),
  block: i32Local('block'),
  spectralStart: i32Local('spectralStart'),
  spectralEnd: i32Local('spectralEnd'),
  shift: i32Local('shift'),
  endOfBandRun: i32Local('endOfBandRun'),
} as const satisfies Partial<Record<ScanField, Local<'i32'>>>;

/** A row of blocks: its address, and the index of a block in it. */
export const [row, x, xEnd] = i32Locals('row', 'x', 'xEnd');

/** What is being decoded: address of the Huffman table, symbol, size in bits, value. */
export const [table, symbol, size, value] = i32Locals('table', 'symbol', 'size', 'value');
/** Length and bits of a code longer than the look-ahead; an entry of a look-up; the coefficient behind that entry's. */
export const [length, code, entry, next] = i32Locals('length', 'code', 'entry', 'next');
