/** One event to deliver to one endpoint. */
export interface Delivery {
  readonly id: string;
  readonly batchId: string;
  readonly type: string;
  readonly url: string;
  readonly state: 'pending' | 'delivered' | 'failed' | 'disabled';
  readonly attempts: number;
  readonly nextAttemptAt: number;
  readonly createdAt: number;
}

export interface DeliveryAttempt {
  readonly attempt: number;
  readonly at: number;
  /** HTTP status; null if there was no answer. */
  readonly status: number | null;
  readonly error: string | null;
}

export type LoggedDelivery = Delivery & { readonly log: readonly DeliveryAttempt[] };
