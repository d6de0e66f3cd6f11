/** Solves A X = B by Gauss and Jordan with pivots: written to be checked by eye. */
export function solve(a: number[][], b: number[][]): number[][] {
  const rows = a.map((row, i) => [...row, ...b[i]!]);
  for (let i = 0; i < rows.length; i++) {
    const pivot = rows
      .slice(i)
      .reduce((best, row, k) => (Math.abs(row[i]!) > Math.abs(rows[best]![i]!) ? i + k : best), i);
    [rows[i], rows[pivot]] = [rows[pivot]!, rows[i]!];
    const own = rows[i]!.map((value) => value / rows[i]![i]!);
    for (const [k, row] of rows.entries())
      rows[k] = k === i ? own : row.map((value, c) => value - row[i]! * own[c]!);
  }
  return rows.map((row) => row.slice(a.length));
}
