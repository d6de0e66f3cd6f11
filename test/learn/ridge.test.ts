import { describe, expect, it } from 'vitest';
import { dot, factorCholesky, solveCholesky, toGram } from '../../src/learn/linear-algebra.ts';
import { fitRidge, scoreExample, toPrimalWeights } from '../../src/learn/ridge.ts';
import { fitRidgePrimal } from '../../src/learn/ridge-primal.ts';
import { createRandom } from '../toolchain/quantize/seeded-random.ts';

/** Solves A X = B by Gauss and Jordan with pivots: written to be checked by eye. */
function solve(a: number[][], b: number[][]): number[][] {
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

describe('Cholesky', () => {
  it('solves as Gauss does', async () => {
    const a = [
      [4, 1, 0.5],
      [1, 3, 0.2],
      [0.5, 0.2, 2],
    ];
    const b = [
      [1, 0],
      [2, -1],
      [0, 3],
    ];
    const factor = Float64Array.from(a.flat());
    const right = Float64Array.from(b.flat());
    await factorCholesky(factor, 3);
    await solveCholesky(factor, 3, right, 2);
    for (const [i, value] of solve(a, b).flat().entries()) expect(right[i]).toBeCloseTo(value, 12);
  });

  it('refuses what is not positive definite', async () => {
    await expect(factorCholesky(Float64Array.of(1, 2, 2, 1), 2)).rejects.toThrow(RangeError);
  });
});

describe('ridge regression', () => {
  const random = createRandom(7).uniform;
  const features = 5;
  const classCount = 3;
  const classes = [0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 1];
  const vectors = classes.map((label) =>
    Float32Array.from({ length: features }, (_, f) => random() - 0.5 + (f === label ? 1 : 0)),
  );
  const penalty = 0.1;

  /** The same by normal equations in the features' own space: weighted, centred, one-hot less its mean. */
  function fitPrimal(): (vector: Float32Array) => number[] {
    const counts = classes.reduce((sum, label) => sum.with(label, sum[label]! + 1), [0, 0, 0]);
    const weights = classes.map((label) => classes.length / (classCount * counts[label]!));
    const mean = (f: number) =>
      vectors.reduce((sum, vector, i) => sum + weights[i]! * vector[f]!, 0) / classes.length;
    const means = Array.from({ length: features }, (_, f) => mean(f));
    const centred = vectors.map((vector) => means.map((value, f) => vector[f]! - value));
    const trace = centred.reduce(
      (sum, row, i) => sum + weights[i]! * row.reduce((a, value) => a + value ** 2, 0),
      0,
    );
    const ridge = (penalty * trace) / classes.length;
    const a = means.map((_, f) =>
      means.map((__, g) =>
        centred.reduce((sum, row, i) => sum + weights[i]! * row[f]! * row[g]!, f === g ? ridge : 0),
      ),
    );
    const b = means.map((_, f) =>
      Array.from({ length: classCount }, (__, c) =>
        centred.reduce(
          (sum, row, i) => sum + weights[i]! * row[f]! * ((classes[i] === c ? 1 : 0) - 1 / classCount),
          0,
        ),
      ),
    );
    const solution = solve(a, b);
    return (vector) =>
      Array.from({ length: classCount }, (_, c) =>
        solution.reduce((sum, row, f) => sum + row[c]! * (vector[f]! - means[f]!), 1 / classCount),
      );
  }

  it('gives what the normal equations give, for photos it has seen and for others', async () => {
    const set = { gram: await toGram(vectors), classes, classCount };
    const seen = classes.map((_, index) => index);
    const dual = await fitRidge(set, seen, penalty);
    const weights = await toPrimalWeights(dual, vectors);
    const reference = fitPrimal();
    const views = vectors.map((vector, i) => ({ label: classes[i]!, read: async () => [vector] }));
    const primal = await fitRidgePrimal(views, 1, features, classCount, penalty);
    const other = Float32Array.from({ length: features }, random);
    for (const vector of [...vectors, other]) {
      const wanted = reference(vector);
      for (let c = 0; c < classCount; c++) {
        let sum = dual.biases[c]!;
        for (let f = 0; f < features; f++) sum += weights[c * features + f]! * vector[f]!;
        expect(sum).toBeCloseTo(wanted[c]!, 5);
        const own = primal.weights.subarray(c * features, (c + 1) * features);
        expect(primal.biases[c]! + dot(own, vector)).toBeCloseTo(wanted[c]!, 5);
      }
    }
    expect([...scoreExample(dual, set, 3)].map((value, c) => value - reference(vectors[3]!)[c]!)).toEqual(
      [0, 0, 0].map(() => expect.closeTo(0, 5)),
    );
  });
});
