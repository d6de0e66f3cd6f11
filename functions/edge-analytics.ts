import type { RequestRecord } from '../src/http/context.ts';

/** @returns writes one row a request to Workers Analytics Engine: the log line in columns. */
export function toDataPoints(dataset: AnalyticsEngineDataset): (record: RequestRecord) => void {
  return ({ route, outcome, model, principal, answerOrigin, tier, status, ...figures }) =>
    dataset.writeDataPoint({
      indexes: [principal ?? 'none'],
      blobs: [route, outcome, model ?? '', answerOrigin ?? '', tier ?? ''],
      doubles: [
        status,
        figures.durationMs,
        figures.images ?? 0,
        figures.imageBytes ?? 0,
        figures.imagePixels ?? 0,
      ],
    });
}
