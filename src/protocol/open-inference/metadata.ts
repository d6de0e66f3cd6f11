import type { ModelManifest } from '../../model/manifest.ts';

/** Body of `GET /v2`. */
export function toServerMetadata(name: string, version: string) {
  return {
    name,
    version,
    extensions: ['binary_tensor_data', 'classification', 'model_configuration', 'statistics'],
  };
}

/** Output of the last block's features, of length 1: given when it is asked for. */
export const embeddingOutput = 'embedding';

/** Names of the outputs that may be asked for. The int8 engine gives features, and heads stand on it. */
export function listOutputs({ output, files, backbone }: ModelManifest): string[] {
  return files.rni8 || backbone ? [output.name, embeddingOutput] : [output.name];
}

/**
 * Body of `GET /v2/models/{name}`. -1 stands for any batch size. The one input takes three datatypes, each of which is
 * listed: FP32 normalised, UINT8 pixels of the crop, BYTES image files.
 *
 * @param platform what runs the model, e.g. `onnxruntime_onnx`.
 * @param outputs names of those that it gives.
 */
export function toModelMetadata(manifest: ModelManifest, platform: string, outputs = listOutputs(manifest)) {
  const { name, version, input, output } = manifest;
  const [, channels = 3, height = -1, width = -1] = input.shape;
  return {
    name,
    versions: [version],
    platform,
    inputs: [
      { name: input.name, datatype: 'FP32', shape: [-1, channels, height, width] },
      { name: input.name, datatype: 'UINT8', shape: [-1, height, width, channels] },
      { name: input.name, datatype: 'BYTES', shape: [-1] },
    ],
    outputs: [
      { name: output.name, datatype: 'FP32', shape: [-1, output.classes] },
      // Its length is the last block's, which no manifest tells.
      ...(outputs.includes(embeddingOutput)
        ? [{ name: embeddingOutput, datatype: 'FP32', shape: [-1, -1] }]
        : []),
    ],
  };
}

/** Body of every failure of the protocol. */
export function toOpenError(detail: string) {
  return { error: detail };
}
