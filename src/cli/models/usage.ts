const intro = 'Usage: npm run models -- COMMAND [options] [--json]';
/** A command's paragraph begins with its name. */
const manual = [
  `  list                            what can be pulled, and what is on this machine
       [--sources FILE]`,
  `  pull NAME                       download from the catalogue, verify, import, compile
       [--mirror URL] [--sources FILE] [--no-compile]`,
  `  import FILE.onnx --name NAME    take an ONNX classifier: manifest, labels, compile
       [--labels FILE] [--preprocess PRESET] [--sources FILE] [--licence TEXT] [--source TEXT] [--no-compile]`,
  `  quantize NAME --calibration DIR make a new int8 version of an fp32 model, compile it
       [--method percentile|minmax|mse] [--percentile 99.999] [--limit N]`,
  `  compile NAME                    make the edge's file again; decides runtime and tier
       [--runtime resnet-int8|onnxruntime-web]`,
  '  verify [NAME]                   check sizes and SHA-256',
  `  push NAME [--local|--remote]    publish a version to R2 (and KV); the first of its name is promoted
       [--kv-namespace-id ID]`,
  `  promote NAME VERSION            let the name stand for that version
       [--local|--remote] [--kv-namespace-id ID] [--default]`,
  `  eval NAME DIR|FILE.csv          top-1, top-5, calibration, agreement
       [--engine edge|onnxruntime-node] [--against NAME] [--limit N]`,
  `  bench NAME                      latency of the edge runtime and of onnxruntime-node, interleaved
       [--rounds N]`,
];
const notes = `NAME is a model's name, or NAME/VERSION; without a version the newest on this machine.
PRESET names who exported the model: see model-assets/sources.json.`;

/** @param command its paragraph alone; all of them, if there is none of that name. */
export function toUsage(command?: string): string {
  const own = manual.filter((paragraph) => paragraph.startsWith(`  ${command} `));
  return `${intro}\n\n${(own.length > 0 ? own : manual).join('\n')}\n\n${notes}`;
}
