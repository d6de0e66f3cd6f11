import { z } from 'zod';
import { callWrangler, WranglerError } from './call-wrangler.ts';
import type { Step } from './step.ts';

const whoamiSchema = z.object({
  loggedIn: z.boolean(),
  accounts: z.array(z.object({ id: z.string(), name: z.string() })).default([]),
});

/** Checks that wrangler is logged in and that one account is chosen, before anything is made. */
export const findAccount: Step = {
  title: 'Find the account',
  calls: ['npx wrangler whoami --json'],
  async run() {
    const { accounts } = whoamiSchema.parse(JSON.parse(await whoami()));
    const chosen = process.env['CLOUDFLARE_ACCOUNT_ID'];
    if (chosen) return accounts.find(({ id }) => id === chosen)?.name ?? `account ${chosen}`;
    const [only, ...others] = accounts;
    if (only && others.length === 0) return only.name;
    if (!only) throw new Error('The login has no account that it may use.');
    const list = accounts.map(({ id, name }) => `  ${id}  ${name}`).join('\n');
    throw new Error(`The login has several accounts:\n${list}`);
  },
};

async function whoami(): Promise<string> {
  try {
    return (await callWrangler(['whoami', '--json'])).stdout;
  } catch (error) {
    // wrangler reports a missing login only in its JSON.
    const isLoggedOut = error instanceof WranglerError && /"loggedIn":\s*false/.test(error.output);
    throw isLoggedOut ? new Error('wrangler is not logged in.') : error;
  }
}
