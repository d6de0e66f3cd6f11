/** The built Worker, or a process of its own. */
interface Edge {
  fetch(path: string): Promise<Response>;
}

export interface BatchJson {
  readonly id: string;
  readonly status: string;
  readonly counts: { total: number; succeeded: number; failed: number; pending: number };
  readonly trouble: string | null;
}

export interface ResultRow {
  readonly index: number;
  readonly name?: string;
  readonly predictions?: { readonly class_index: number; readonly label: string; readonly score: number }[];
  readonly problem?: { readonly code: string };
}

export async function getBatch(edge: Edge, id: string): Promise<BatchJson> {
  return (await (await edge.fetch(`/v1/batches/${id}`)).json()) as BatchJson;
}

/** Polls until `until` holds; by default until the batch has ended. */
export async function waitForEnd(
  edge: Edge,
  id: string,
  until = (batch: BatchJson) => !['starting', 'processing'].includes(batch.status),
  timeoutMs = 100_000,
): Promise<BatchJson> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const batch = await getBatch(edge, id);
    if (until(batch)) return batch;
    if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(batch)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

export async function collectResults(edge: Edge, id: string, cursor = 0): Promise<ResultRow[]> {
  const text = await (await edge.fetch(`/v1/batches/${id}/results?cursor=${cursor}`)).text();
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}
