import { join } from 'node:path';
import { createOrtNodeSession } from '../../inference/ort-node.ts';
import type { Fp32Tensor } from '../../tensor.ts';
import { bootEdgeRuntime, loadFile } from './node-runtime.ts';
import type { LocalModel } from './workspace.ts';

/** Latency of one model, the edge's runtime and onnxruntime-node on one thread taking turns. */
export async function benchModel({ folder, manifest }: LocalModel, rounds: number) {
  const path = join(folder, manifest.model.file);
  const [, , height, width] = manifest.input.shape as [number, number, number, number];
  const data = Float32Array.from({ length: 3 * height * width }, (_, index) => Math.sin(index));
  const input: Fp32Tensor = { datatype: 'FP32', shape: [1, 3, height, width], data };
  const node = await createOrtNodeSession(path, { intraOpNumThreads: 1 });
  const contestants: { name: string; run: () => Promise<unknown>; times: number[] }[] = [
    {
      name: 'onnxruntime-node, one thread',
      run: () => node.run(new Map([[manifest.input.name, input]])),
      times: [],
    },
  ];
  if (manifest.format === 'ort') {
    const edge = await loadFile(await bootEdgeRuntime(), path, manifest.runtimeMemoryBytes);
    contestants.unshift({ name: 'edge runtime', run: () => edge.run(input), times: [] });
  }
  const warmups = 3;
  for (let round = 0; round < rounds + warmups; round++) {
    for (const { run, times } of contestants) {
      const start = performance.now();
      await run();
      if (round >= warmups) times.push(performance.now() - start);
    }
  }
  return contestants.map(({ name, times }) => {
    const sorted = times.sort((a, b) => a - b);
    return {
      model: `${manifest.name}/${manifest.version}`,
      engine: name,
      median_ms: sorted[sorted.length >> 1]!,
      min_ms: sorted[0]!,
      rounds,
    };
  });
}
