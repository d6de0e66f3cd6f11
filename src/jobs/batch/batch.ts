import { z } from 'zod';
import type { Tier } from '../../protocol/tier/tier.ts';

/** Replicate's words for the states of a job, and `partial` for a batch with some failed items. */
export const batchStatuses = [
  'starting',
  'processing',
  'succeeded',
  'partial',
  'failed',
  'canceled',
] as const;
export type BatchStatus = (typeof batchStatuses)[number];

/** What is done with each image. */
export const batchTasks = ['classify', 'embed'] as const;
export type BatchTask = (typeof batchTasks)[number];

export interface Batch {
  readonly id: string;
  readonly owner: string;
  readonly status: BatchStatus;
  readonly task: BatchTask;
  readonly tier: Tier;
  readonly model: string;
  readonly modelVersion: string;
  readonly topK: number;
  readonly webhookUrl: string | undefined;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Items; final once the status is no longer `starting`. */
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Code of the trouble that delays the batch, if there is any. */
  readonly lastTrouble: string | undefined;
  /** Milliseconds since 1970, like all times. */
  readonly createdAt: number;
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  readonly expiresAt: number;
}

/** A place in a list of batches, newest first. Batches of one millisecond are ordered by their ids. */
export interface ListPlace {
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Empty: before all of that millisecond. */
  readonly id: string;
}

export function isFinished({ status }: Batch): boolean {
  return status !== 'starting' && status !== 'processing';
}

/** Where an item's image is. Never the bytes themselves. */
export const inputReferenceSchema = z.union([
  z.strictObject({ url: z.string() }),
  z.strictObject({ r2_key: z.string() }),
  /** Bytes that came with the request: a range of an object beside the batch, see image-packer.ts. */
  z.strictObject({
    pack: z.int().nonnegative(),
    offset: z.int().nonnegative(),
    bytes: z.int().positive(),
    name: z.string().optional(),
  }),
]);
export type InputReference = z.infer<typeof inputReferenceSchema>;

/** A queue message. It names the chunk to run and has none of its contents. */
export const chunkMessageSchema = z.strictObject({
  batch_id: z.string().max(64),
  chunk: z.int().nonnegative(),
});
export type ChunkMessage = z.infer<typeof chunkMessageSchema>;

export const deliveryMessageSchema = z.strictObject({
  delivery_id: z.string().max(64),
  /** Number of the database that the delivery lies in; the first one if it says nothing. */
  database: z.int().positive().optional(),
});
export type DeliveryMessage = z.infer<typeof deliveryMessageSchema>;

export interface Chunk {
  readonly batchId: string;
  readonly chunk: number;
  readonly firstIndex: number;
  readonly inputs: readonly InputReference[];
  readonly troubles: Troubles;
}

/** By item index: the failures so far of an item that will be tried again. */
export type Troubles = Readonly<Record<string, Trouble>>;
export interface Trouble {
  readonly attempts: number;
  readonly code: string;
  readonly detail: string;
}

export const resultsKey = (batchId: string, chunk: number) => `batches/${batchId}/results/${chunk}`;
export const packKey = (batchId: string, pack: number) => `batches/${batchId}/images/${pack}`;
export const batchPrefix = (batchId: string) => `batches/${batchId}/`;
