/** 0.456 as `46 %`; what is between 0 and 1 per cent, or 99 and 100, is not rounded to certainty. */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return '< 0.1 %';
  if (percent < 100 && percent >= 99.95) return '> 99.9 %';
  const isNearCertainty = (percent > 0 && percent < 1) || (percent > 99 && percent < 100);
  return `${percent.toFixed(isNearCertainty ? 1 : 0)} %`;
}

/** 0.994 as `99 %`: an estimate has no better figures. */
export const formatEstimate = (share: number): string => `${Math.round(share * 100)} %`;

export const formatMs = (ms: number): string => `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;

export function formatBytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
