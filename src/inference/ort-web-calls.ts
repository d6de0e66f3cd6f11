import type { OrtModule } from 'onnxruntime-web/ort-wasm-simd-threaded.mjs';
import { CodedError } from '../errors.ts';

/** Bytes of a pointer in wasm32, for which the module is built. */
export const pointerBytes = 4;

/** The single-threaded build answers synchronously; a promise would break the no-interleaving promise of ort-web.ts. */
export function assertSync(value: number | Promise<number>): number {
  if (typeof value !== 'number') {
    throw new CodedError('internal', 'onnxruntime-web answered asynchronously: another build?');
  }
  return value;
}

/** @returns what ONNX Runtime says of its last failure, as the cause. */
export function lastError(
  ort: OrtModule,
  code: 'internal' | 'model_corrupt' | 'inference_failed',
  message: string,
): CodedError {
  const stack = ort.stackSave();
  const slots = ort.stackAlloc(2 * pointerBytes);
  ort._OrtGetLastError(slots, slots + pointerBytes);
  const detail = ort.UTF8ToString(ort.getValue(slots + pointerBytes, '*'));
  ort.stackRestore(stack);
  return new CodedError(code, `${message}.`, { cause: new Error(detail) });
}
