/** The bytes are not a well-formed ONNX model: cut short, not protobuf, or a tensor that contradicts itself. */
export class OnnxFormatError extends Error {
  override readonly name = 'OnnxFormatError';
}

/**
 * The model is valid ONNX, but holds something this package does not read. Build-time only: it names the node, so
 * that the person who exported the graph knows where to look.
 */
export class UnsupportedGraphError extends Error {
  override readonly name = 'UnsupportedGraphError';
  /** The node's name, or its first output where the exporter left names out; '' if no node is at fault. */
  readonly nodeName: string;
  /** The ONNX operator, e.g. `Sigmoid`; '' if no node is at fault. */
  readonly opType: string;
  readonly reason: string;

  constructor(at: NodeLocation | undefined, reason: string) {
    const nodeName = at === undefined ? '' : at.name || at.outputs[0] || '(unnamed)';
    super(at === undefined ? reason : `node '${nodeName}' (${at.opType}): ${reason}`);
    this.nodeName = nodeName;
    this.opType = at?.opType ?? '';
    this.reason = reason;
  }
}

/** What an error needs to know of a node. */
export interface NodeLocation {
  readonly name: string;
  readonly opType: string;
  readonly outputs: readonly string[];
}
