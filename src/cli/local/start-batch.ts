import { defineCommand } from '../command-line/command.ts';

/** `npm run start:batch`: the deployable itself, which takes its configuration from the environment alone. */
export const startBatch = defineCommand({
  usage: `Usage: npm run start:batch

The Node tier, configured by variables TIER_... of the environment: docs/batches-and-webhooks.md.`,
  options: {},
  operands: { min: 0, max: 0 },
  async run() {
    await import('../../../functions/batch.ts');
    return undefined;
  },
});
