/**
 * How logits become scores: as the model's manifest says, or as the caller chooses. The output of a model that gives
 * probabilities does not change.
 */
export type Scoring = 'model' | 'softmax' | 'sigmoid' | 'none';

/** What a caller may choose for one image, on the edge, on the Node tier and in a batch alike. */
export interface ClassifyChoice {
  /** Number of predictions, at least 1. */
  readonly topK: number;
  /** Whether EXIF orientation turns the image upright first. */
  readonly orientation: 'apply' | 'ignore';
  /** 'fast' trades exactness for speed on large JPEGs. The Node tier always decodes exactly. */
  readonly decode: 'exact' | 'fast';
  readonly scoring: Scoring;
  /** Whether a damaged file is refused where it would otherwise be shown with a warning. */
  readonly strict: boolean;
}

/** The choice of a caller who chooses only `topK`. */
export const defaultChoice = {
  orientation: 'apply',
  decode: 'exact',
  scoring: 'model',
  strict: false,
} as const satisfies Omit<ClassifyChoice, 'topK'>;
