/** The bytes that a body holds, and the bytes that it will hold. */
export interface Need {
  held: number;
  /** Bytes that it is expected to hold in the end. */
  limit: number;
  /** Most bytes that it may hold. */
  readonly max: number;
}

/** When a body outgrows its limit, the limit grows by this factor. */
const growth = 4;

/** The need of the body when it holds `bytes`. */
export function toNeed({ limit, max }: Need, bytes: number): Need {
  return { held: bytes, limit: bytes <= limit ? limit : Math.min(max, bytes * growth), max };
}

/** Dijkstra's test: the body that needs least is finished and gives back its bytes, then the next one, and so on. */
export function canFinish(bodies: readonly Need[], capacity: number): boolean {
  let free = capacity;
  for (const { held } of bodies) free -= held;
  for (const { held, limit } of bodies.toSorted((a, b) => a.limit - a.held - (b.limit - b.held))) {
    if (limit - held > free) return false;
    free += held;
  }
  return free >= 0;
}
