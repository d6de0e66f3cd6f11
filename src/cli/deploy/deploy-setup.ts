import { relative } from 'node:path';
import { defineCommand } from '../command-line/command.ts';
import { toOrigin } from '../command-line/to-origin.ts';
import { callerDir, toPath } from '../command-line/to-path.ts';
import { UsageError } from '../command-line/usage-error.ts';
import { projectRoot } from '../paths.ts';
import { waitUntilReady } from '../wait-until-ready.ts';
import { findAccount } from './account.ts';
import { deployWorker } from './deploy-worker.ts';
import {
  type Deployment,
  environments,
  parseEnvironment,
  readDeployment,
  toEntry,
  toWranglerEnv,
} from './deployment.ts';
import { migrateDatabase } from './migrate-database.ts';
import { prepareDeployConfig } from './prepare-config.ts';
import { createResources } from './resources.ts';
import { createSecrets, listSecretNames, readSecretsFile, type Secrets, withSecretsFile } from './secrets.ts';
import { printSteps, runSteps, type Step } from './step.ts';
import { uploadModels } from './upload-models.ts';

/** `npm run deploy:setup`: from an account to the first label. */
export const deploySetup = defineCommand({
  usage: `Usage: npm run deploy:setup -- [--env production|staging] [--engine-only] [--secrets-file FILE] [--dry-run]

Makes everything that the service needs on the Cloudflare account that wrangler is logged in to (npx wrangler login):
buckets, databases, queues, tables, models, the first API key; deploys; waits until it answers. What is there already is
left as it is: run it again after a failure, and it goes on; run it again later, and it deploys.

  --env NAME           ${environments.join(' (default) or ')}
  --engine-only        without onnxruntime-web: a small fraction of the upload, for models of the int8 engine alone
  --secrets-file FILE  further secrets, a JSON object or lines NAME=VALUE; they replace those that are there
  --url URL            where it will answer, if not where wrangler says
  --timeout SECONDS    how long to wait until it answers (default 180)
  --dry-run            print every step, and do nothing`,
  options: {
    env: { type: 'string', default: 'production' },
    'engine-only': { type: 'boolean', default: false },
    'secrets-file': { type: 'string' },
    url: { type: 'string' },
    timeout: { type: 'string', default: '180' },
    'dry-run': { type: 'boolean', default: false },
  },
  operands: { min: 0, max: 0 },
  async run(values) {
    const environment = parseEnvironment(values.env);
    const url = values.url === undefined ? undefined : toOrigin(values.url, '--url');
    if (!/^\d{1,5}$/.test(values.timeout)) {
      throw new UsageError(`--timeout must be a number of seconds, got "${values.timeout}".`);
    }
    const given =
      values['secrets-file'] === undefined ? {} : await readSecretsFile(toPath(values['secrets-file']));
    const deployment = await readDeployment(environment);
    const engineOnly = values['engine-only'];
    const outcome: Outcome = { secrets: undefined, url: undefined };
    const steps = toSteps(deployment, {
      selection: [`--env=${toWranglerEnv(environment)}`],
      entry: toEntry(engineOnly),
      given,
      url,
      timeoutMs: Number(values.timeout) * 1000,
      outcome,
    });
    if (values['dry-run']) {
      printSteps(steps);
      return 0;
    }
    const again = [
      'npm run deploy:setup --',
      ...(environment === 'production' ? [] : ['--env', environment]),
      ...(engineOnly ? ['--engine-only'] : []),
    ].join(' ');
    await runSteps(steps, again.replace(/ --$/, ''));
    return 0;
  },
});

/** Results of earlier steps that later steps need. */
interface Outcome {
  secrets: Secrets | undefined;
  url: string | undefined;
}

interface StepOptions {
  /** wrangler's choice of the environment. */
  readonly selection: readonly string[];
  /** The entry point, if not that of wrangler.toml. */
  readonly entry: readonly string[];
  readonly given: Readonly<Record<string, string>>;
  readonly url: string | undefined;
  readonly timeoutMs: number;
  readonly outcome: Outcome;
}

function toSteps(deployment: Deployment, options: StepOptions): readonly Step[] {
  const { name, databases, modelsBucket } = deployment;
  return [
    findAccount,
    ...createResources(deployment),
    ...databases.map((database) => migrateDatabase(database, options.selection)),
    uploadModels(modelsBucket),
    makeSecrets(options),
    deploy(name, options),
    showReady(options),
  ];
}

function makeSecrets({ selection, given, outcome }: StepOptions): Step {
  return {
    title: 'API key and secrets',
    calls: [
      `npx wrangler secret list --format json ${selection.join(' ')}`,
      'unless they are there: make API_KEYS with a first key, and UPLOAD_TOKEN_SECRET',
    ],
    async run() {
      outcome.secrets = await createSecrets(await listSecretNames(selection), given);
      const { values, apiKey } = outcome.secrets;
      const names = Object.keys(values);
      if (names.length === 0) return 'there already';
      // Shows the key before the deploy. If the deploy failed after its upload, the key would be in use and unknown.
      const key =
        apiKey === undefined
          ? ''
          : `\n\n  API key, shown this once, valid from the deploy on:\n  ${apiKey}\n`;
      return `new: ${names.join(', ')}${key}`;
    },
  };
}

function deploy(name: string, { selection, entry, outcome, url }: StepOptions): Step {
  const args = ['deploy', ...entry, ...selection];
  return {
    title: `Worker ${name}`,
    calls: ['npm run build:web', `npx wrangler ${args.join(' ')} --secrets-file FILE`],
    async run() {
      const where = ['--config', await prepareDeployConfig()];
      const { values = {} } = outcome.secrets ?? {};
      const { urls } =
        Object.keys(values).length === 0
          ? await deployWorker([...args, ...where])
          : await withSecretsFile(values, (path) => deployWorker([...args, ...where], path));
      outcome.url = url ?? urls[0];
      return 'deployed';
    },
  };
}

function showReady({ outcome, timeoutMs }: StepOptions): Step {
  return {
    title: 'Wait until it answers',
    calls: ['curl https://NAME.SUBDOMAIN.workers.dev/v1/health/ready, until its status is 200'],
    async run() {
      const { url, secrets } = outcome;
      if (url === undefined) {
        throw new Error(
          'wrangler names no address of the Worker: workers_dev is off, and there is no route.',
        );
      }
      // A new address takes a while to be known everywhere.
      await waitUntilReady(url, { withinMs: timeoutMs, pollMs: 2_000 });
      const photo = relative(callerDir, `${projectRoot}test/golden/cat.jpg`);
      const key = secrets?.apiKey ?? 'YOUR_KEY';
      return [
        'ready',
        '',
        `  URL   ${url}`,
        `  try   curl -H 'Authorization: Bearer ${key}' --data-binary @${photo} '${url}/v1/classify?top_k=3'`,
      ].join('\n');
    },
  };
}
