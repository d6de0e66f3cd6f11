import type { Queue } from '@cloudflare/workers-types';
import type { ChunkMessage, DeliveryMessage } from './batch.ts';

/** Messages that Cloudflare Queues takes in one call. */
const messagesPerCall = 100;

export interface ChunkQueue {
  send(messages: readonly ChunkMessage[]): Promise<void>;
}

export interface DeliveryQueue {
  send(messages: readonly DeliveryMessage[]): Promise<void>;
}

export function createQueueSender<T>(queue: Queue<T>): { send(messages: readonly T[]): Promise<void> } {
  return {
    async send(messages) {
      for (let start = 0; start < messages.length; start += messagesPerCall) {
        const call = messages.slice(start, start + messagesPerCall);
        await queue.sendBatch(call.map((body) => ({ body, contentType: 'json' })));
      }
    },
  };
}
