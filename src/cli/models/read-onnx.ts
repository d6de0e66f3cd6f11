import { closeSync, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative } from 'node:path';
import type { OnnxModel } from '../../toolchain/onnx/onnx-graph.ts';
import { parseModel } from '../../toolchain/onnx/onnx-model.ts';
import type { ExternalLocation } from '../../toolchain/onnx/onnx-tensor.ts';

export interface OnnxFile {
  /** The file's own bytes. */
  readonly bytes: Uint8Array;
  readonly model: OnnxModel;
  /** Whether some of its weights lie in files beside it. */
  readonly hasExternalData: boolean;
}

/**
 * An ONNX model with the weights that lie in other files of its folder (`torch.onnx.export` writes `model.onnx.data`).
 *
 * @throws {OnnxFormatError | UnsupportedGraphError} if it cannot be read.
 * @throws {Error} if weights lie outside its folder, or their file is not there or too short.
 */
export async function readOnnx(path: string): Promise<OnnxFile> {
  const bytes = await readFile(path);
  const folder = realpathSync(dirname(path));
  let hasExternalData = false;
  const model = parseModel(bytes, (location) => {
    hasExternalData = true;
    return readExternal(folder, location);
  });
  return { bytes, model, hasExternalData };
}

function readExternal(folder: string, { file, offset, length }: ExternalLocation): Uint8Array {
  const path = resolveInside(folder, file);
  const handle = openSync(path, 'r');
  try {
    const wanted = length ?? fstatSync(handle).size - offset;
    const bytes = new Uint8Array(Math.max(0, wanted));
    let done = 0;
    while (done < bytes.length) {
      const count = readSync(handle, bytes, done, bytes.length - done, offset + done);
      if (count === 0) {
        throw new Error(
          `${file} ends before byte ${offset + wanted}, which the model needs: was it copied whole?`,
        );
      }
      done += count;
    }
    return bytes;
  } finally {
    closeSync(handle);
  }
}

/** A model is somebody else's file: what it names is read from its own folder alone. */
function resolveInside(folder: string, file: string): string {
  const outside = () =>
    new Error(`The model keeps weights in "${file}", outside its own folder: only files beside it are read.`);
  if (isAbsolute(file)) throw outside();
  let path: string;
  try {
    path = realpathSync(join(folder, file));
  } catch {
    if (relative(folder, join(folder, file)).startsWith('..')) throw outside();
    throw new Error(`The model keeps weights in ${file}, which is not beside it: copy both files together.`);
  }
  if (relative(folder, path).startsWith('..')) throw outside();
  return path;
}
