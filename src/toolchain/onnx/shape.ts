import type { OnnxGraph } from './onnx-graph.ts';

/** A size, or the batch dimension, which stays free. */
export type Dimension = number | 'batch';
export type Shape = readonly Dimension[];

/** What shape rules may look at: everything inferred so far. */
export interface ShapeContext {
  readonly graph: OnnxGraph;
  readonly shapes: Map<string, Shape>;
  readonly values: Map<string, Shape>;
  /** Batch size the exporter fixed: where a Reshape spells it out, the batch dimension is meant. */
  readonly fixedBatch: number | undefined;
}
