import type { Log } from '../../lib/observe/write-log.ts';
import type { TierClassifier } from './tier-classifier.ts';
import type { TierMetrics } from './tier-metrics.ts';
import type { TierModels } from './tier-models.ts';

/** What the routes of the tier share. */
export interface TierServices {
  readonly models: TierModels;
  readonly classifier: TierClassifier;
  readonly metrics: TierMetrics;
  readonly secrets: readonly string[];
  readonly log: Log;
}
