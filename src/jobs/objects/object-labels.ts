import type { D1Database, Message } from '@cloudflare/workers-types';
import { giveUpObjects, type LabelServices, labelObjects } from './label-objects.ts';
import { ObjectLabelStore } from './object-label-store.ts';

/** Everything about labels of objects that HTTP and the queues call. */
export class ObjectLabels {
  readonly store: ObjectLabelStore;
  readonly #services: LabelServices;

  constructor({ db, ...services }: Omit<LabelServices, 'store'> & { readonly db: D1Database }) {
    this.store = new ObjectLabelStore(db, services.filter.bucket);
    this.#services = { ...services, store: this.store };
  }

  consume(messages: readonly Message<unknown>[]): Promise<void> {
    return labelObjects(messages, this.#services);
  }

  consumeDead(messages: readonly Message<unknown>[]): Promise<void> {
    return giveUpObjects(messages, this.#services);
  }
}
