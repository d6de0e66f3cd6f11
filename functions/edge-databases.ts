import type { D1Database } from '@cloudflare/workers-types';
import { CodedError } from '../src/errors.ts';
import { orderDatabaseBindings } from '../src/jobs/batch/database-bindings.ts';

/**
 * The databases that batches are spread over, in the order of their numbers; none in a deployment without batches.
 *
 * @throws {CodedError} `configuration_invalid`.
 */
export function readBatchDatabases(env: object): readonly D1Database[] {
  const bindings = new Map<string, unknown>(Object.entries(env));
  return orderDatabaseBindings([...bindings.keys()]).map((name) => {
    const binding = bindings.get(name);
    if (isDatabase(binding)) return binding;
    throw new CodedError('configuration_invalid', `${name} is not bound to a D1 database.`);
  });
}

function isDatabase(binding: unknown): binding is D1Database {
  return typeof binding === 'object' && binding !== null && 'prepare' in binding && 'batch' in binding;
}
