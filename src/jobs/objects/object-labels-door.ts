import type { ItemResult } from '../../classify/classification.ts';

export interface LabelledObject {
  readonly key: string;
  readonly etag: string;
  readonly result: ItemResult;
  /** Milliseconds since 1970. */
  readonly labelledAt: number;
}

/** What HTTP may do with labels of objects: nothing in it tells of bindings. */
export interface ObjectLabelsDoor {
  find(key: string): Promise<LabelledObject | undefined>;
  /** Ascending by key. @param after only keys behind this one. */
  list(prefix: string, after: string, limit: number): Promise<readonly LabelledObject[]>;
}
