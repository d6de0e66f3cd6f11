import type { Message } from '@cloudflare/workers-types';
import type { Log } from '../../lib/observe/write-log.ts';
import { nextDeliveryDelay, parseRetryAfter } from '../../lib/retry-schedule.ts';
import { webhookClaimMs, webhookTimeoutMs } from '../../limits.ts';
import { signWebhook, type WebhookKey } from '../webhook/standard-webhook.ts';
import { type DeliveryMessage, deliveryMessageSchema } from './batch.ts';
import type { Delivery } from './delivery.ts';
import type { DeliveryStore } from './delivery-store.ts';

export interface DeliverServices {
  readonly deliveries: DeliveryStore;
  /** One key, or several while a secret is rotated. There is always one: no delivery goes out unsigned. */
  readonly keys: readonly WebhookKey[];
  /** Body of the event; undefined if the batch is gone. */
  readonly toPayload: (delivery: Delivery) => Promise<string | undefined>;
  /** A `fetch` that refuses private addresses and follows no redirect. */
  readonly post: (url: string, init: RequestInit) => Promise<Response>;
  /** Seconds until the next attempt, undefined to give up. Default: the specification's schedule. */
  readonly nextDelay?: typeof nextDeliveryDelay;
  readonly log: Log;
  readonly now?: () => number;
}

/** Cloudflare Queues delays a message by 12 hours at most. For a longer delay the message is delayed again. */
const maxQueueDelaySeconds = 43_200;

/**
 * Consumer of the delivery queue: each message is for one webhook.
 *
 * @param findServices finds the services of a delivery. It throws if the database cannot be reached; the message comes again.
 */
export async function consumeDeliveries(
  messages: readonly Message<unknown>[],
  findServices: (message: DeliveryMessage) => DeliverServices,
  log: Log,
): Promise<void> {
  await Promise.all(
    messages.map(async (message) => {
      const parsed = deliveryMessageSchema.safeParse(message.body);
      if (!parsed.success) {
        message.ack();
        return;
      }
      try {
        const waitSeconds = await deliver(parsed.data.delivery_id, findServices(parsed.data));
        if (waitSeconds === undefined) message.ack();
        else message.retry({ delaySeconds: Math.min(waitSeconds, maxQueueDelaySeconds) });
      } catch (error) {
        log('error', { event: 'delivery_failed', ...parsed.data, error });
        message.retry({ delaySeconds: 60 });
      }
    }),
  );
}

/** @returns seconds until the delivery must be tried again; undefined if it has ended. */
async function deliver(id: string, services: DeliverServices): Promise<number | undefined> {
  const { deliveries, now = Date.now, nextDelay = nextDeliveryDelay, log } = services;
  const delivery = await deliveries.find(id);
  if (delivery?.state !== 'pending') return undefined;
  const early = Math.ceil((delivery.nextAttemptAt - now()) / 1000);
  if (delivery.attempts > 0 && early > 0) return early;
  const isGone = await deliveries.isGone(delivery);
  const body = isGone ? undefined : await services.toPayload(delivery);
  if (!isGone && body === undefined) return undefined;
  if (!(await deliveries.claim(delivery, now() + webhookClaimMs))) return webhookClaimMs / 1000;
  if (body === undefined) {
    const outcome = { status: undefined, error: 'the endpoint answered 410 before' };
    await deliveries.record(delivery, outcome, { state: 'disabled', nextAttemptAt: now() });
    return undefined;
  }

  const attempt = await post(delivery, body, services);
  const { status, error, retryAfterSeconds } = attempt;
  const delivered = status !== undefined && status >= 200 && status < 300;
  const delay = delivered || status === 410 ? undefined : nextDelay(delivery.attempts + 1, retryAfterSeconds);
  const state = delivered
    ? 'delivered'
    : status === 410
      ? 'disabled'
      : delay === undefined
        ? 'failed'
        : 'pending';
  await deliveries.record(delivery, { status, error }, { state, nextAttemptAt: now() + (delay ?? 0) * 1000 });
  log(state === 'failed' ? 'error' : 'info', {
    event: 'webhook',
    delivery_id: id,
    batch_id: delivery.batchId,
    state,
    status,
  });
  return delay;
}

async function post(
  { id, url }: Delivery,
  body: string,
  { keys, post: send, now = Date.now }: DeliverServices,
): Promise<{ status?: number; error?: string; retryAfterSeconds?: number }> {
  try {
    const response = await send(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'resnet-edge',
        ...(await signWebhook(id, Math.floor(now() / 1000), body, keys)),
      },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(webhookTimeoutMs),
    });
    // The answer's body is not needed, and may be endless.
    response.body?.cancel().catch(() => undefined);
    const retryAfterSeconds = parseRetryAfter(response.headers.get('retry-after'), now());
    return { status: response.status, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
  } catch (error) {
    return { error: (error instanceof Error ? error.message : String(error)).slice(0, 200) };
  }
}
