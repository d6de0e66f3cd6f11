import { appendFile, readFile } from 'node:fs/promises';

/** What `npm run bench` runs, each a `npm run bench:NAME`. */
export const benches = ['image', 'formats', 'inference', 'cold', 'batch', 'answers'] as const;

/** Contestants that took turns in one run. */
export interface Comparison {
  readonly title: string;
  readonly unit: 'ms' | 'ms a megapixel' | 'images/s';
  /** The contestant that every other one is a multiple of. */
  readonly base: string;
  readonly rows: readonly {
    readonly name: string;
    readonly value: number;
    /** Milliseconds of CPU of this process, where that was measured: others on the machine do not lengthen it. */
    readonly cpuMs?: number;
    /** Whether it is a part of this project. */
    readonly isOurs: boolean;
  }[];
}

/** One benchmark that was run. */
export interface BenchResult {
  readonly command: string;
  /** When it began, ISO 8601. */
  readonly date: string;
  /** Processes that wanted a core, averaged over a minute, before and after it. */
  readonly load: readonly [before: number, after: number];
  readonly status: number;
  readonly seconds: number;
  readonly comparisons: readonly Comparison[];
}

/** The last run of each benchmark on one machine, as docs/benchmarks/figures.json keeps it. */
export interface BenchRecord {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memory_bytes: number };
  /** By package. */
  readonly versions: Readonly<Record<string, string>>;
  readonly results: readonly BenchResult[];
}

/** Names the file that a benchmark notes its comparisons in; `npm run bench` sets it. */
const fileVariable = 'RESNET_EDGE_BENCH_FILE';

/** Notes what was measured, for the run that this process is a part of. Without one nothing is noted. */
export async function noteComparison(comparison: Comparison): Promise<void> {
  const path = process.env[fileVariable];
  if (path !== undefined) await appendFile(path, `${JSON.stringify(comparison)}\n`);
}

/** What a benchmark's process has to be given, so that it notes its comparisons in this file. */
export const noteInto = (path: string) => ({ [fileVariable]: path });

export async function readNotes(path: string): Promise<Comparison[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Comparison);
}
