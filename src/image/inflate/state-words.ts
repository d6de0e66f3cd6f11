import { stateLayout } from './layout.ts';

const wordBytes = Int32Array.BYTES_PER_ELEMENT;
type Field = keyof typeof stateLayout;

/** Indices of the state's fields in an array of words; of `bits` that of the lower one. */
export const field = Object.fromEntries(
  Object.entries(stateLayout).map(([name, offset]) => [name, offset / wordBytes]),
) as Readonly<Record<Field, number>>;

export const stateWords = Math.max(...Object.values(field)) + 1;
