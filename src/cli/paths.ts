import { fileURLToPath } from 'node:url';

/** Absolute paths, so that every command works from any folder. */
export const projectRoot = fileURLToPath(new URL('../../', import.meta.url));
export const assetsDir = fileURLToPath(new URL('../../model-assets/', import.meta.url));
/** Local R2, KV and the rest, as wrangler lays it out. */
export const stateDir =
  process.env['RESNET_EDGE_STATE_DIR'] ?? fileURLToPath(new URL('../../.wrangler/state/', import.meta.url));
/** Schema of the batches' database. */
export const migrationsDir = fileURLToPath(new URL('../jobs/batch/migrations/', import.meta.url));
/** Output of `npm run build`. */
export const buildDir = fileURLToPath(new URL('../../.build/edge/', import.meta.url));
/** The Worker without onnxruntime-web, of the same command. */
export const engineBuildDir = fileURLToPath(new URL('../../.build/edge-engine/', import.meta.url));
/** ImageNet-1k, one row a class. */
export const assetPathOfDefaultLabels = fileURLToPath(
  new URL('../../model-assets/resnet18-imagenet1k/1/labels.json', import.meta.url),
);
