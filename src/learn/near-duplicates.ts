// `!` behind an index: the loops and the checked sizes keep it in range.

/** Cosine from which two photos count as the same thing in the same light. */
const sameSceneCosine = 0.93;
/** Cosine from which two photos are copies of each other. */
const copyCosine = 0.995;

/**
 * Groups photos that come from one burst, so that an estimate never learns from a photo what it is asked of its twin.
 *
 * @param gram FP64 (count, count): inner products of vectors of length 1.
 * @returns a group's number for each photo.
 */
export function groupNearDuplicates(gram: Float64Array, count: number): number[] {
  const parents = Array.from({ length: count }, (_, index) => index);
  const find = (index: number): number => {
    while (parents[index] !== index) {
      parents[index] = parents[parents[index]!]!;
      index = parents[index]!;
    }
    return index;
  };
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) if (gram[i * count + j]! >= sameSceneCosine) parents[find(i)] = find(j);
  }
  return parents.map((_, index) => find(index));
}

/** @returns pairs of photos that are copies of each other, the first `most` of them. */
export function listCopies(gram: Float64Array, count: number, most: number): [number, number][] {
  const pairs: [number, number][] = [];
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      if (gram[i * count + j]! < copyCosine) continue;
      pairs.push([j, i]);
      if (pairs.length === most) return pairs;
    }
  }
  return pairs;
}
