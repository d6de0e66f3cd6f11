import { createOrtNodeSession } from '../../inference/ort-node.ts';
import type { Fp32Tensor } from '../../lib/tensor.ts';
import { edgeKindOf, locateModelFile } from '../model-files.ts';
import { bootEdgeRuntime, loadFile } from './node-runtime.ts';
import type { LocalModel } from './workspace.ts';

/**
 * Latency of one model, the edge's runtime and onnxruntime-node on one thread taking turns. A version
 * without one of the files is measured on the other alone.
 */
export async function benchModel(model: LocalModel, rounds: number) {
  const { folder, manifest } = model;
  const [, , height, width] = manifest.input.shape as [number, number, number, number];
  const data = Float32Array.from({ length: 3 * height * width }, (_, index) => Math.sin(index));
  const input: Fp32Tensor = { datatype: 'FP32', shape: [1, 3, height, width], data };
  const contestants: { name: string; run: () => Promise<unknown>; times: number[] }[] = [];
  if (manifest.files.onnx) {
    const graph = await locateModelFile(folder, manifest, 'onnx');
    const node = await createOrtNodeSession(graph, { intraOpNumThreads: 1 });
    contestants.push({
      name: 'onnxruntime-node, one thread',
      run: () => node.run(new Map([[manifest.input.name, input]])),
      times: [],
    });
  }
  const kind = edgeKindOf(manifest);
  if (kind) {
    const path = await locateModelFile(folder, manifest, kind);
    const edge = await loadFile(await bootEdgeRuntime(manifest.runtime), path, manifest.runtimeMemoryBytes);
    contestants.unshift({ name: `edge, ${manifest.runtime}`, run: () => edge.run(input), times: [] });
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
