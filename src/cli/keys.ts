import { parseApiKeys, scopes } from '../http/access/api-keys.ts';
import { defineCommand } from './command-line/command.ts';
import { UsageError } from './command-line/usage-error.ts';
import { createApiKey } from './create-api-key.ts';

/** `npm run keys`: makes an API key and its row for the secret API_KEYS. */
export const keys = defineCommand({
  usage: `Usage: npm run keys -- ID [--scopes classify,batch,teach,admin] [--expires-at 2027-01-31T00:00:00Z]

  ID            who the key is for: 1 to 64 letters, digits, "-" or "_"; it stands in logs
  --scopes      what the key may do, separated by commas (default: classify)
  --expires-at  when it ends, with its zone (default: never)

Prints the key, which is shown this once, to standard error, and the value of the secret API_KEYS to standard
output: a JSON array, ready to paste at the prompt of "npx wrangler secret put API_KEYS", or without a prompt:
  npx resnet-edge keys ID | npx wrangler secret put API_KEYS
The secret holds all keys: to have several, put their rows into one array. To replace a key, add a second row with
the same id, hand out the new key, then take the old row away.`,
  options: { scopes: { type: 'string', default: 'classify' }, 'expires-at': { type: 'string' } },
  operands: { min: 1, max: 1 },
  async run(values, [id]) {
    const { key, row } = await createApiKey(`${id}`, values.scopes.split(','), values['expires-at']);
    const secret = JSON.stringify([row]);
    try {
      parseApiKeys(secret);
    } catch (cause) {
      throw new UsageError(
        `ID must be 1 to 64 letters, digits, "-" or "_"; scopes are ${scopes.join(', ')}; --expires-at is a time with its zone.`,
        { cause },
      );
    }
    console.error(`Key, shown once:      ${key}\nThe secret API_KEYS:`);
    console.log(secret);
    return 0;
  },
});
