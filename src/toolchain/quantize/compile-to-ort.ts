import { rename, rm } from 'node:fs/promises';
import { createOrtNodeSession } from '../../inference/ort-node.ts';

/**
 * Writes the model as ONNX Runtime's own format, graph already optimised, so that the Worker only loads.
 * Level 'extended' fuses QDQ groups into integer kernels and stays valid on every machine; beyond it lie
 * layouts for this machine's CPU.
 *
 * @param model path of a `.onnx` file, or its bytes.
 * @param outFile path of the `.ort` file; replaced as a whole or not at all.
 * @throws {Error} ONNX Runtime's own, if it cannot read the model; the file system's, if it cannot write.
 */
export async function compileToOrt(model: string | Uint8Array, outFile: string): Promise<void> {
  const partial = `${outFile}.partial`;
  try {
    const session = await createOrtNodeSession(model, {
      graphOptimizationLevel: 'extended',
      saveOptimized: { path: partial, format: 'ORT' },
    });
    await session.close();
    await rename(partial, outFile);
  } finally {
    await rm(partial, { force: true });
  }
}
