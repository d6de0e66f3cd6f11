export interface Prediction {
  readonly label: string;
  /** 0 to 1. */
  readonly score: number;
}

const barWidth = 24;

/** One line a prediction: label, bar, score. */
export function toTable(predictions: readonly Prediction[]): string {
  if (predictions.length === 0) return "  none of the model's classes";
  const width = Math.max(...predictions.map(({ label }) => label.length));
  return predictions
    .map(({ label, score }) => {
      const bar = '█'.repeat(Math.round(score * barWidth)).padEnd(barWidth, '·');
      return `  ${label.padEnd(width)}  ${bar}  ${score.toFixed(4)}`;
    })
    .join('\n');
}
