import type { PixelArena } from '../pixel-arena.ts';
import { fixedBytes, inputBytes, inputPadBytes, outputBytes, regions } from './layout.ts';
import { PlainInflater } from './plain-inflater.ts';
import { type InflateRoutines, toWasmRoutines } from './routines.ts';
import { stateWords } from './state-words.ts';
import {
  distanceMeanings,
  fixedDistanceLengths,
  fixedLiteralLengths,
  lengthCodeMeanings,
  literalMeanings,
  literalSymbols,
} from './symbols.ts';

/** Memory of one inflater, and what works on it. Addresses count from the beginning of `bytes`. */
export interface InflateMemory {
  /** All of the memory; it may be replaced whenever something else is allocated. */
  readonly bytes: Uint8Array;
  readonly routines: InflateRoutines;
  readonly state: number;
  readonly input: number;
  readonly output: number;
}

/** @param longestRun bytes of output that are read at once. */
export function createInflateMemory(longestRun: number, arena: PixelArena | undefined): InflateMemory {
  const size = fixedBytes + inputBytes + inputPadBytes + outputBytes(longestRun);
  const state = arena?.allocate(size) ?? 0;
  const places = {
    state,
    input: state + fixedBytes,
    output: state + fixedBytes + inputBytes + inputPadBytes,
  };
  if (arena === undefined) {
    const bytes = new Uint8Array(size);
    return { ...places, bytes, routines: new PlainInflater(bytes) };
  }
  placeTables(arena.bytes, state);
  return {
    ...places,
    get bytes() {
      return arena.bytes;
    },
    routines: toWasmRoutines(arena, state),
  };
}

/** The state's words, until something else is allocated: see state-words.ts. */
export function stateOf({ bytes, state }: InflateMemory): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset + state, stateWords);
}

/** What the WebAssembly looks up and does not compute. */
function placeTables(bytes: Uint8Array, state: number): void {
  const words = (region: number, values: Uint32Array) =>
    new Uint32Array(bytes.buffer, state + region, values.length).set(values);
  words(regions.literalMeanings, literalMeanings);
  words(regions.distanceMeanings, distanceMeanings);
  words(regions.lengthCodeMeanings, lengthCodeMeanings);
  bytes.set(fixedLiteralLengths, state + regions.fixedLengths);
  bytes.set(fixedDistanceLengths, state + regions.fixedLengths + literalSymbols);
  for (let distance = 1; distance < 16; distance++) {
    const pattern = Uint8Array.from({ length: 16 }, (_, index) => index % distance);
    bytes.set(pattern, state + regions.patterns + distance * 16);
    // There is no distance of 0; in its place stands how far whole repetitions reach.
    bytes[state + regions.patterns + distance] = 16 - (16 % distance);
  }
}
