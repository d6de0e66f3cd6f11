/** Upper bounds in seconds, from a warm small image to a request that waited for a cold model. */
const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

type Labels = Readonly<Record<string, string>>;

interface Histogram {
  readonly counts: number[];
  sum: number;
  count: number;
}

interface Family {
  readonly type: 'counter' | 'histogram' | 'gauge';
  readonly help: string;
}

/** Every metric there is. A test compares the table in docs/operate.md with it. */
export const metricFamilies = {
  resnet_edge_requests_total: { type: 'counter', help: 'Requests, by route, status and outcome code.' },
  resnet_edge_request_duration_seconds: { type: 'histogram', help: 'Time to answer, by route.' },
  resnet_edge_images_total: { type: 'counter', help: 'Images, by model, format and outcome code.' },
  resnet_edge_image_bytes_total: { type: 'counter', help: 'Bytes of images received.' },
  resnet_edge_image_pixels_total: { type: 'counter', help: 'Pixels the images declared.' },
  resnet_edge_stage_duration_seconds: {
    type: 'histogram',
    help: 'Time of each stage: decode, preprocess, model, inference. Needs SERVER_TIMING=on.',
  },
  resnet_edge_answer_cache_total: { type: 'counter', help: 'Look-ups of answers: hit, miss, shared.' },
  resnet_edge_delegated_images_total: {
    type: 'counter',
    help: 'Images given to the Node tier, by reason and outcome code.',
  },
  resnet_edge_model_loads_total: { type: 'counter', help: 'Models loaded by this isolate.' },
  resnet_edge_runtime_memory_bytes: { type: 'gauge', help: 'Linear memory the inference runtimes have.' },
  resnet_edge_body_bytes_in_flight: { type: 'gauge', help: 'Bytes of request bodies admitted now.' },
  resnet_edge_requests_waiting: { type: 'gauge', help: 'Requests that wait for a place now.' },
  resnet_edge_runtime_info: {
    type: 'gauge',
    help: 'Always 1; labels name each runtime that has booted and its kernels.',
  },
} as const satisfies Record<string, Family>;

export type MetricName = keyof typeof metricFamilies;
type NameOf<Type> = {
  [N in MetricName]: (typeof metricFamilies)[N]['type'] extends Type ? N : never;
}[MetricName];

/**
 * Counters of one isolate, in Prometheus' text format (version 0.0.4). An isolate is short-lived and one of
 * many: a scrape sees the one that answers it. For totals across isolates bind Workers Analytics Engine.
 */
export class Metrics {
  readonly #counters = new Map<string, number>();
  readonly #histograms = new Map<string, Histogram>();

  add(name: NameOf<'counter'>, labels: Labels = {}, amount = 1): void {
    const series = toSeries(name, labels);
    this.#counters.set(series, (this.#counters.get(series) ?? 0) + amount);
  }

  observe(name: NameOf<'histogram'>, labels: Labels, seconds: number): void {
    const series = toSeries(name, labels);
    let histogram = this.#histograms.get(series);
    if (!histogram) {
      histogram = { counts: durationBuckets.map(() => 0), sum: 0, count: 0 };
      this.#histograms.set(series, histogram);
    }
    histogram.sum += seconds;
    histogram.count++;
    for (const [index, bound] of durationBuckets.entries()) if (seconds <= bound) histogram.counts[index]!++;
  }

  /** @returns the sum of a counter's series that have all of these labels. */
  sum(name: NameOf<'counter'>, labels: Labels): number {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${escapeLabel(value)}"`);
    let total = 0;
    for (const [series, value] of this.#counters)
      if (belongs(series, name) && wanted.every((pair) => series.includes(pair))) total += value;
    return total;
  }

  /** @param gauges values at the moment of the scrape. */
  format(gauges: readonly { name: NameOf<'gauge'>; labels?: Labels; value: number }[]): string {
    const lines: string[] = [];
    for (const [name, { type, help }] of Object.entries(metricFamilies)) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      for (const [series, value] of this.#counters)
        if (belongs(series, name)) lines.push(`${series} ${value}`);
      for (const gauge of gauges)
        if (gauge.name === name) lines.push(`${toSeries(name, gauge.labels ?? {})} ${gauge.value}`);
      for (const [series, histogram] of this.#histograms)
        if (belongs(series, name)) lines.push(...formatHistogram(series, histogram));
    }
    return `${lines.join('\n')}\n`;
  }
}

/** `name{a="x",b="y"}`, or `name`. */
function toSeries(name: string, labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

function belongs(series: string, name: string): boolean {
  return series === name || series.startsWith(`${name}{`);
}

function formatHistogram(series: string, { counts, sum, count }: Histogram): string[] {
  const open = series.indexOf('{');
  const name = open < 0 ? series : series.slice(0, open);
  const labels = open < 0 ? '' : series.slice(open + 1, -1);
  const withBound = (bound: string) => `${name}_bucket{${labels}${labels ? ',' : ''}le="${bound}"}`;
  const tail = labels ? `{${labels}}` : '';
  return [
    ...durationBuckets.map((bound, index) => `${withBound(String(bound))} ${counts[index]}`),
    `${withBound('+Inf')} ${count}`,
    `${name}_sum${tail} ${sum}`,
    `${name}_count${tail} ${count}`,
  ];
}
