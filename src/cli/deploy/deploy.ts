import { defineCommand } from '../command-line/command.ts';
import { deployWorker } from './deploy-worker.ts';
import { environments, parseEnvironment, toEntry, toWranglerEnv } from './deployment.ts';
import { prepareDeployConfig } from './prepare-config.ts';

/** `npm run deploy`: the code alone. */
export const deploy = defineCommand({
  usage: `Usage: npm run deploy -- [--env production|staging] [--engine-only]

Uploads the Worker and its pages. Everything else stays as npm run deploy:setup made it: run that instead where tables,
models or secrets are new.

  --env NAME     ${environments.join(' (default) or ')}
  --engine-only  without onnxruntime-web: a small fraction of the upload, for models of the int8 engine alone`,
  options: {
    env: { type: 'string', default: 'production' },
    'engine-only': { type: 'boolean', default: false },
  },
  operands: { min: 0, max: 0 },
  async run({ env, 'engine-only': engineOnly }) {
    const environment = parseEnvironment(env);
    const args = ['deploy', ...toEntry(engineOnly), `--env=${toWranglerEnv(environment)}`];
    const { urls, versionId } = await deployWorker([...args, '--config', await prepareDeployConfig()]);
    console.log(`version ${versionId}`);
    for (const url of urls) console.log(url);
    return 0;
  },
});
