import type { PixelArena } from '../pixel-arena.ts';
import type { InflateStatus } from './layout.ts';

/**
 * What inflating is made of. Each routine works on the memory that layout.ts describes, and goes on from where its
 * state says. A routine that lacks input for the next step undoes it, so that it can be begun again.
 */
export interface InflateRoutines {
  /** @returns `coded`, `stored`, `needsInput` or `invalid`. */
  readBlockHeader(): InflateStatus;
  /** Decodes symbols of a block. @returns `blockEnd`, `needsInput`, `isFull` or `invalid`. */
  decodeSymbols(): InflateStatus;
  /** Prepares for a block that turned out to be long; what `decodeSymbols` gives stays the same. */
  prepareLongBlock(): void;
  /** Copies bytes of a stored block. @returns `blockEnd`, `needsInput` or `isFull`. */
  copyStored(): InflateStatus;
  /** Continues an Adler-32 over so many bytes from `address` on. */
  adler32(address: number, count: number, previous: number): number;
}

/** The same by WebAssembly. @param state its address in the arena. */
export function toWasmRoutines({ routines }: PixelArena, state: number): InflateRoutines {
  return {
    readBlockHeader: () => routines.read_block_header(state) as InflateStatus,
    decodeSymbols: () => routines.decode_symbols(state) as InflateStatus,
    prepareLongBlock: () => routines.pair_literals(state),
    copyStored: () => routines.copy_stored(state) as InflateStatus,
    adler32: (address, count, previous) => routines.adler32(address, count, previous) >>> 0,
  };
}
