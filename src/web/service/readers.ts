/** Turns untrusted JSON into a typed value, or throws `UnexpectedAnswer`. */
export type Reader<T> = (value: unknown, path?: string) => T;

/** The service answered something else than its API says: most likely it is another version of it. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';
}

export const text: Reader<string> = (value, path = '') => {
  if (typeof value !== 'string') throw toError(path, 'text');
  return value;
};

export const number: Reader<number> = (value, path = '') => {
  if (typeof value !== 'number') throw toError(path, 'a number');
  return value;
};

export const flag: Reader<boolean> = (value, path = '') => {
  if (typeof value !== 'boolean') throw toError(path, 'true or false');
  return value;
};

/** null and absence both become undefined. */
export const optional =
  <T>(reader: Reader<T>): Reader<T | undefined> =>
  (value, path = '') =>
    value === undefined || value === null ? undefined : reader(value, path);

export const list =
  <T>(reader: Reader<T>): Reader<readonly T[]> =>
  (value, path = '') => {
    if (!Array.isArray(value)) throw toError(path, 'a list');
    return value.map((item: unknown, index) => reader(item, `${path}[${index}]`));
  };

/** Reads the first of two shapes that fits. */
export const either =
  <A, B>(first: Reader<A>, second: Reader<B>): Reader<A | B> =>
  (value, path = '') => {
    try {
      return first(value, path);
    } catch {
      return second(value, path);
    }
  };

type Fields = Readonly<Record<string, Reader<unknown>>>;
export type Read<R> = R extends Reader<infer T> ? T : never;
type RecordOf<F extends Fields> = { readonly [K in keyof F]: Read<F[K]> };

/** Reads the named fields and ignores others, so that the API may grow. */
export const record =
  <F extends Fields>(fields: F): Reader<RecordOf<F>> =>
  (value, path = '') => {
    if (!isRecord(value)) throw toError(path, 'an object');
    const entries = Object.entries(fields).map(([name, reader]) => [
      name,
      reader(value[name], path === '' ? name : `${path}.${name}`),
    ]);
    // Object.fromEntries cannot know that it gives back the keys of `fields`.
    return Object.fromEntries(entries) as RecordOf<F>;
  };

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toError(path: string, wanted: string): UnexpectedAnswer {
  return new UnexpectedAnswer(`${path || 'The answer'} is not ${wanted}.`);
}
