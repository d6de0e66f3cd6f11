/** What a body holds, and what it will come to hold. */
export interface Need {
  held: number;
  /** As far as is known. */
  limit: number;
  /** The most that it may come to. */
  readonly max: number;
}

/** A body that outgrows what was expected may hold this many times more. */
const growth = 4;

/** The body as it is when it holds so many bytes. */
export function toNeed({ limit, max }: Need, bytes: number): Need {
  return { held: bytes, limit: bytes <= limit ? limit : Math.min(max, bytes * growth), max };
}

/** Dijkstra's test: the body that needs least is finished, gives back what it has, and so on. */
export function canFinish(bodies: readonly Need[], capacity: number): boolean {
  let free = capacity;
  for (const { held } of bodies) free -= held;
  for (const { held, limit } of bodies.toSorted((a, b) => a.limit - a.held - (b.limit - b.held))) {
    if (limit - held > free) return false;
    free += held;
  }
  return free >= 0;
}
