import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toPath } from './command-line/to-path.ts';

/** Absolute paths, so that every command works from any folder. */
export const projectRoot = fileURLToPath(new URL('../../', import.meta.url));
export const assetsDir = join(projectRoot, 'model-assets');
/** Schema of the batches' database. */
export const migrationsDir = fileURLToPath(new URL('../jobs/migrations/', import.meta.url));
/** ImageNet-1k, one row a class. */
export const assetPathOfDefaultLabels = join(assetsDir, 'resnet18-imagenet1k/3/labels.json');

/** With it nothing is written into the checkout, which may then be read-only. */
const ownStateDir = process.env['RESNET_EDGE_STATE_DIR'];
const movedTo = ownStateDir ? toPath(ownStateDir) : undefined;

/** Local R2, KV and the rest, as wrangler lays it out below `v3`. */
export const stateDir = movedTo ?? join(projectRoot, '.wrangler/state');
/** wrangler writes its temporary files into `.wrangler` beside its configuration. */
export const wranglerConfigDir = movedTo ?? projectRoot;

/** Output of `npm run build` of this checkout; read, never written, where RESNET_EDGE_STATE_DIR is set. */
export const checkoutBuildRoot = join(projectRoot, '.build');
export const buildRoot = movedTo ? join(movedTo, 'build') : checkoutBuildRoot;
export const buildDir = join(buildRoot, 'edge');
/** The Worker without onnxruntime-web. */
export const engineBuildDir = join(buildRoot, 'edge-engine');

/** Models in the making: `<name>/<version>/`, not committed. Published versions live in the stores. */
export const workspaceDir = process.env['RESNET_EDGE_MODELS_DIR']
  ? toPath(process.env['RESNET_EDGE_MODELS_DIR'])
  : join(movedTo ?? projectRoot, movedTo ? 'models' : '.models');
