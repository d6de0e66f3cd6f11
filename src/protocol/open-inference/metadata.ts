import type { ModelManifest } from '../../model/manifest.ts';

/** Body of `GET /v2`. */
export function toServerMetadata(name: string, version: string) {
  return { name, version, extensions: ['binary_tensor_data', 'classification'] };
}

/**
 * Body of `GET /v2/models/{name}`. -1 stands for any batch size. Besides FP32 the input takes UINT8
 * (n, height, width, 3) and BYTES (n), which the protocol has no field for.
 *
 * @param platform what runs the model, e.g. `onnxruntime_onnx`.
 */
export function toModelMetadata({ name, version, input, output }: ModelManifest, platform: string) {
  return {
    name,
    versions: [version],
    platform,
    inputs: [{ name: input.name, datatype: 'FP32', shape: [-1, ...input.shape.slice(1)] }],
    outputs: [{ name: output.name, datatype: 'FP32', shape: [-1, output.classes] }],
  };
}

/** Body of every failure of the protocol. */
export function toOpenError(detail: string) {
  return { error: detail };
}
