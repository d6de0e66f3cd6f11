import type { Classification } from '../classify.ts';
import type { Tier } from '../../protocol/tier/tier.ts';

/** An answer and who gave it. */
export interface ComputedAnswer {
  readonly classification: Classification;
  readonly tier: Tier;
}

/** Remembers answers by key. A store that fails or forgets costs time, never an answer. */
export interface AnswerStore {
  get(key: string): Promise<ComputedAnswer | undefined>;
  put(key: string, answer: ComputedAnswer): Promise<void>;
}
