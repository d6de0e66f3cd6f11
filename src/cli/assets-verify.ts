import { verifyAssets } from './assets.ts';
import { defineCommand } from './command-line/command.ts';

/** `npm run assets:verify` */
export const assetsVerify = defineCommand({
  usage: `Usage: npm run assets:verify

Checks every file of model-assets against its manifest and prints its SHA-256.`,
  options: {},
  operands: { min: 0, max: 0 },
  async run() {
    const assets = await verifyAssets();
    for (const [key, { sha256 }] of assets) console.log(`${sha256}  ${key}`);
    console.log(`${assets.size} model assets verified`);
    return 0;
  },
});
