/** The value of one series of the Worker's metrics, in Prometheus' text format; 0 if it has none yet. */
export function readValue(text: string, series: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}

/** As `readValue`, asking the Worker. */
export async function readMetric(
  edge: { fetch(path: string): Promise<Response> },
  series: string,
): Promise<number> {
  return readValue(await (await edge.fetch('/metrics')).text(), series);
}
