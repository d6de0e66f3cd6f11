import { defineCommand } from '../command-line/command.ts';
import { type BuildTarget, buildTarget, findBuilt } from './build-target.ts';
import { fingerprintSources } from './source-fingerprint.ts';

const options = { force: { type: 'boolean', default: false } } as const;

/** `npm run build`: everything that would be uploaded. */
export const build = defineCommand({
  usage: `Usage: npm run build -- [--force]

Builds the pages, the Worker, and the Worker without onnxruntime-web, into .build (or RESNET_EDGE_STATE_DIR/build).
What was built from the same sources before is left as it is.

  --force  build anew`,
  options,
  operands: { min: 0, max: 0 },
  async run({ force }) {
    await buildAll(['web', 'edge', 'edge-engine'], force);
    return 0;
  },
});

/** `npm run build:web`: before a deploy, the pages. */
export const buildPages = defineCommand({
  usage: `Usage: npm run build:web -- [--force]

Builds the pages that wrangler.toml serves as assets.

  --force  build anew`,
  options,
  operands: { min: 0, max: 0 },
  async run({ force }) {
    await buildAll(['web'], force);
    return 0;
  },
});

async function buildAll(targets: readonly BuildTarget[], force: boolean): Promise<void> {
  const fingerprint = await fingerprintSources();
  let web = '';
  for (const target of targets) {
    const found = force ? undefined : await findBuilt(target, fingerprint);
    const folder = found ?? (await buildTarget(target, fingerprint, web));
    if (target === 'web') web = folder;
    console.log(`${target.padEnd(12)} ${folder}${found ? ' (up to date)' : ''}`);
  }
}
