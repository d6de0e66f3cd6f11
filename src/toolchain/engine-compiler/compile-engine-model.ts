import { alignUp, formatVersion, headerBytes, magic, type Plan } from '../../engine/plan.ts';
import { parseModel } from '../onnx/onnx-model.ts';
import { GraphCompiler } from './graph-compiler.ts';
import { toQdqForm } from './to-qdq-form.ts';

/**
 * Compiles an int8 ResNet in ONNX, in QDQ or operator format, to the engine's file.
 *
 * @param onnx as `models quantize` or onnxruntime's quantize_static makes it.
 * @param side height and width of the image, in pixels.
 * @throws {UnsupportedGraphError} naming the node that the engine cannot run.
 */
export function compileEngineModel(
  onnx: Uint8Array,
  side: number,
): { readonly file: Uint8Array; readonly plan: Plan } {
  const { plan, weights } = new GraphCompiler(toQdqForm(parseModel(onnx).graph), side).compile();
  const json = new TextEncoder().encode(JSON.stringify(plan));
  const weightsStart = alignUp(headerBytes + json.length);
  const file = new Uint8Array(weightsStart + weights.length);
  const view = new DataView(file.buffer);
  view.setUint32(0, magic, true);
  view.setUint32(4, formatVersion, true);
  view.setUint32(8, json.length, true);
  file.set(json, headerBytes);
  file.set(weights, weightsStart);
  return { file, plan };
}
