/**
 * How long and from where a property searches. A plain run is short; `RESNET_EDGE_FUZZ_RUNS` makes it as
 * long as it says, and `RESNET_EDGE_FUZZ_SEED` repeats one.
 *
 * @param runs of a plain run.
 */
export function fuzz(runs: number): { readonly numRuns: number; readonly seed?: number } {
  const { RESNET_EDGE_FUZZ_RUNS: wanted, RESNET_EDGE_FUZZ_SEED: seed } = process.env;
  return { numRuns: Number(wanted ?? runs), ...(seed !== undefined && { seed: Number(seed) }) };
}
