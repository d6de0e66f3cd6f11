/** Where positions and tiles of 7 x 7 outputs lie: see winograd-seven.ts. */

/** Positions of a tile of 4 along an axis. */
export const size = 6;
/** The position along an axis that the tile of 3 does not have. */
const missing = 4;
export interface Tile {
  /** Along each axis: whether it is the tile of 3, which comes second. */
  readonly isShort: readonly [y: boolean, x: boolean];
}
export const tiles: readonly Tile[] = [false, true].flatMap((y) =>
  [false, true].map((x) => ({ isShort: [y, x] as const })),
);
const hasPosition = ({ isShort }: Tile, position: readonly [number, number]) =>
  !isShort.some((short, axis) => short && position[axis] === missing);
/** Positions with the same tiles come one behind the other. */
const groups = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
].map((isMissing) => {
  const positions = Array.from(
    { length: size * size },
    (_, index) => [Math.floor(index / size), index % size] as const,
  ).filter((position) => position.every((place, axis) => (place === missing) === isMissing[axis]));
  return { positions, tiles: tiles.filter((tile) => hasPosition(tile, positions[0]!)) };
});
/** Positions in turn that have as many tiles. */
export const runs = [4, 2, 1].map((count) => ({
  tiles: count,
  positions: groups.filter((group) => group.tiles.length === count).flatMap(({ positions }) => positions)
    .length,
}));
const ordered = groups.flatMap(({ positions }) => positions);
/** Index of a position in the order of their weights. */
export const orderOf = (y: number, x: number) =>
  ordered.findIndex((place) => place[0] === y && place[1] === x);
/** Index of a tile's share of a position, among all. */
export function slotOf(tile: Tile, y: number, x: number): number {
  let first = 0;
  for (const group of groups) {
    const index = group.positions.findIndex((place) => place[0] === y && place[1] === x);
    if (index >= 0) return first + index * group.tiles.length + group.tiles.indexOf(tile);
    first += group.positions.length * group.tiles.length;
  }
  throw new RangeError(`no position ${y}, ${x}`);
}
/** Positions of a tile along an axis. */
export const placesOf = (isShort: boolean) =>
  [0, 1, 2, 3, 4, 5].filter((place) => !isShort || place !== missing);
