import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { parseApiKeys, scopes } from '../http/access/api-keys.ts';
import { digestHex } from '../lib/digest.ts';

const usage = `Usage: npm run keys -- ID [--scopes classify,batch,admin] [--expires-at 2027-01-31T00:00:00Z]

Makes an API key. The key is shown once; the row beside it goes into the secret API_KEYS, a JSON array:
  npx wrangler secret put API_KEYS
To replace a key, add a second row with the same id, hand out the new key, then take the old row away.`;

const { values, positionals } = parseCommandLine();
const [id] = positionals;
if (values.help || id === undefined) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}
// 256 random bits: nobody guesses it, and its plain SHA-256 is safe to keep.
const key = `re_${randomBytes(32).toString('base64url')}`;
const row = {
  id,
  sha256: await digestHex(key),
  scopes: values.scopes.split(','),
  ...(values['expires-at'] === undefined ? {} : { expires_at: values['expires-at'] }),
};
try {
  parseApiKeys(JSON.stringify([row]));
} catch {
  fail(
    `ID must be 1 to 64 letters, digits, "-" or "_"; scopes are ${scopes.join(', ')}; --expires-at is a time with its zone.`,
  );
}
console.log(`key  ${key}\nrow  ${JSON.stringify(row)}`);

function parseCommandLine() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        scopes: { type: 'string', default: 'classify' },
        'expires-at': { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

function fail(message: string): never {
  console.error(`${message}\n\n${usage}`);
  process.exit(2);
}
