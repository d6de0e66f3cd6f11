import ortWasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm';
import { bootOrtWeb } from '../src/inference/ort-web.ts';
import { createWorker } from './edge-worker.ts';
import { phoneFormats } from './phone-formats.ts';

/** The Worker with both runtimes: the int8 engine, and onnxruntime-web for every other graph. */
export default createWorker(() => bootOrtWeb(ortWasm), phoneFormats);
