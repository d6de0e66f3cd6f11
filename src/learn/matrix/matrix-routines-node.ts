import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** @returns the routines of learning, compiled from their file. */
export function loadMatrixRoutines(): WebAssembly.Module {
  return new WebAssembly.Module(
    readFileSync(fileURLToPath(new URL('matrix-routines.wasm', import.meta.url))),
  );
}
