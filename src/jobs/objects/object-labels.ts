import { giveUpObjects, type LabelServices, labelObjects } from './label-objects.ts';
import { ObjectLabelStore } from './object-label-store.ts';
import type { ObjectLabelsDoor } from './object-labels-door.ts';

/** Everything about labels of objects that HTTP and the queues call. */
export class ObjectLabels implements ObjectLabelsDoor {
  readonly #services: LabelServices;

  constructor({ db, ...services }: Omit<LabelServices, 'store'> & { readonly db: D1Database }) {
    this.#services = { ...services, store: new ObjectLabelStore(db, services.filter.bucket) };
  }

  find(key: string) {
    return this.#services.store.find(key);
  }

  list(prefix: string, after: string, limit: number) {
    return this.#services.store.list(prefix, after, limit);
  }

  consume(messages: readonly Message<unknown>[]): Promise<void> {
    return labelObjects(messages, this.#services);
  }

  consumeDead(messages: readonly Message<unknown>[]): Promise<void> {
    return giveUpObjects(messages, this.#services);
  }
}
