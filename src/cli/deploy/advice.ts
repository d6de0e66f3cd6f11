/** What a person can do about an error of wrangler or of Cloudflare's API. The first that fits counts. */
const advices: readonly (readonly [RegExp, string])[] = [
  [
    /not (logged in|authenticated)|set a CLOUDFLARE_API_TOKEN/i,
    'log in with "npx wrangler login", or set CLOUDFLARE_API_TOKEN (and CLOUDFLARE_ACCOUNT_ID) where no browser is.',
  ],
  [
    /code: (10000|9109|10001|7403)\]|Authentication error|not authorized/,
    'the login or token lacks a right. A token needs, on the account: Workers Scripts, Workers R2 Storage, D1 and Queues, ' +
      'each "Edit", and Account Settings "Read". After npx wrangler login all of them are there.',
  ],
  [/several accounts/, 'choose one: set CLOUDFLARE_ACCOUNT_ID to an id of that list.'],
  [
    /code: 10042\]|enable R2/i,
    "R2 has to be switched on once for an account, in Cloudflare's dashboard under R2 (it asks for a payment method).",
  ],
  [
    /code: 100328\]|CPU limits are not supported|paid plan|Workers Paid|code: 10195\]/i,
    'the account needs the Workers Paid plan: dashboard, Workers & Pages, Plans.',
  ],
  [
    /code: 10027\]|exceeded the size limit/i,
    'the bundle is over the size limit of the plan: switch to the Workers Paid plan, or leave onnxruntime-web out with --engine-only.',
  ],
  [
    /code: 7406\]|maximum number of D1 databases/,
    'the account has as many D1 databases as its plan allows: delete one, or switch to the Workers Paid plan.',
  ],
  [
    /code: 10063\]|workers\.dev subdomain/i,
    'open Workers & Pages in the dashboard once: the account gets its workers.dev subdomain there. Or set a custom domain in wrangler.toml.',
  ],
  [
    /is not ready: .*(ENOTFOUND|ECONNREFUSED|status 5|status 404)/,
    'a new address can take some minutes to be known everywhere: run it again, with a longer --timeout if need be.',
  ],
  [/is not ready:/, 'the deployment says itself what it lacks: mend that, and run it again.'],
  [
    /ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|fetch failed|connectivity issue/i,
    'Cloudflare could not be reached: look at the network and proxy of this machine.',
  ],
  [
    /code: 10021\]/,
    "Cloudflare refused the Worker's code; the reason stands above. The committed code passes: see what was changed.",
  ],
];

/** @returns one sentence; never empty. */
export function findAdvice(reason: string): string {
  const found = advices.find(([pattern]) => pattern.test(reason))?.[1];
  return found ?? 'mend what stands above; "npx wrangler whoami" says which account is used.';
}
