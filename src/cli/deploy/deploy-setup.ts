import { defineCommand } from '../command-line/command.ts';
export const deploySetup = defineCommand({
  usage: 'Usage: npm run deploy:setup',
  options: {},
  operands: { min: 0, max: 0 },
  run: async () => 0,
});
