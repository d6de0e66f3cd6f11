import type { Classification } from '../classification.ts';

/** Remembers answers by key. A store that fails or forgets costs time, never an answer. */
export interface AnswerStore {
  get(key: string): Promise<Classification | undefined>;
  put(key: string, answer: Classification): Promise<void>;
}
