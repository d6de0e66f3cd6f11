import type { BatchTask } from './batch.ts';

/** One input as it was sent: a reference, or the bytes themselves. */
export type RawInput =
  | { readonly url: string }
  | { readonly r2_key: string }
  | { readonly bytes: Uint8Array; readonly name?: string };

/** What the caller of a batch may choose. */
export interface BatchOptions {
  /** Undefined for the default model. */
  readonly model: string | undefined;
  readonly task: BatchTask;
  /** Predictions kept of each image, at least 1. */
  readonly topK: number;
  /** Undefined if no webhook is wanted. */
  readonly webhookUrl: string | undefined;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** The caller, and the key by which a repeated request is recognised. */
export interface BatchCaller {
  /** The key, token or source that the batch belongs to. */
  readonly owner: string;
  /** A second request with the same key, options and inputs gets the first one's batch. */
  readonly idempotencyKey: string | undefined;
}

/** Images to classify, read as they come. This interface does not say how they are sent. */
export interface BatchInputs {
  /** The model, if it is known before the first input: a model that does not exist is then refused before anything is stored. */
  readonly model: string | undefined;
  /** In order. @throws {CodedError} (from the iteration) if something is not an input. */
  readonly inputs: AsyncIterable<RawInput>;
  /** Call it after the last input, because options may stand behind the inputs. @throws {CodedError} `option_invalid`. */
  options(): BatchOptions;
  /** Hex SHA-256 of inputs and options. Call it after the last input. */
  digest(): Promise<string>;
}
