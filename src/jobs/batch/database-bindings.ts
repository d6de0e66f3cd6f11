import { CodedError } from '../../errors.ts';
import { maxBatchDatabases } from '../../limits.ts';

const first = 'BATCHES_DB';

/**
 * The bindings of the databases of batches in the order of their numbers: `BATCHES_DB`, `BATCHES_DB_2`, and so on. The
 * number is a part of the ids of the batches inside, so it must always mean the same database.
 *
 * @param names of all bindings; those that do not begin with BATCHES_DB are ignored.
 * @throws {CodedError} `configuration_invalid`: a number is missing, too high, or none.
 */
export function orderDatabaseBindings(names: readonly string[]): string[] {
  const given = new Set(names.filter((name) => name.startsWith(first)));
  const ordered = Array.from({ length: given.size }, (_, index) => toName(index + 1));
  const numbers = Array.from({ length: maxBatchDatabases }, (_, index) => toName(index + 1));
  const foreign = [...given].find((name) => !numbers.includes(name));
  if (foreign !== undefined) {
    throw invalid(
      `The binding ${foreign} has no name of a database: they are ${first}, ${toName(2)} to ${toName(maxBatchDatabases)}.`,
    );
  }
  const missing = ordered.find((name) => !given.has(name));
  if (missing !== undefined) {
    throw invalid(`The binding ${missing} is missing: databases are numbered without a gap.`);
  }
  return ordered;
}

const toName = (number: number) => (number === 1 ? first : `${first}_${number}`);

const invalid = (detail: string) => new CodedError('configuration_invalid', detail);
