import ortWasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm';
import kernels from '../src/engine/kernels.wasm';
import { toProblemResponse } from '../src/http/problem.ts';
import { bootOrtWeb } from '../src/inference/ort-web.ts';
import { createResnetInt8 } from '../src/inference/resnet-int8.ts';
import { composeEdge, type EdgeEnv } from './compose-edge.ts';

/** One app per isolate: sessions and manifests outlive a request. */
let app: ReturnType<typeof composeEdge> | undefined;

export default {
  fetch(request, env, ctx) {
    try {
      app ??= composeEdge(env, {
        boot: async (name) =>
          name === 'resnet-int8' ? createResnetInt8(kernels) : await bootOrtWeb(ortWasm),
      });
    } catch (error) {
      // A deployment whose variables are wrong says which one, at every path.
      return toProblemResponse(error, crypto.randomUUID());
    }
    return app.fetch(request, env, ctx);
  },
} satisfies ExportedHandler<EdgeEnv>;
