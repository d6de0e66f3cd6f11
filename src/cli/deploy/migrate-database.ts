import { callWrangler } from './call-wrangler.ts';
import type { Step } from './step.ts';

/**
 * Brings the tables up to date, before the code that needs them.
 *
 * @param selection wrangler's options for configuration and environment.
 */
export function migrateDatabase(database: string, selection: readonly string[]): Step {
  const args = ['d1', 'migrations', 'apply', database, '--remote', ...selection];
  return {
    title: `Migrations of ${database}`,
    calls: [`npx wrangler ${args.join(' ')}`],
    async run() {
      const { output } = await callWrangler(args);
      return /No migrations to apply/.test(output) ? 'up to date' : 'applied';
    },
  };
}
