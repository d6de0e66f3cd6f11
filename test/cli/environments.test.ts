import { join } from 'node:path';
import { expect, it } from 'vitest';
import { unstable_readConfig } from 'wrangler';
import { environments, readDeployment, toWranglerEnv } from '../../src/cli/deploy/deployment.ts';
import { projectRoot } from '../../src/cli/paths.ts';

/** Everything of an environment, with its own names put in place of those of production. */
function readAsProduction(environment: (typeof environments)[number]): Record<string, unknown> {
  const config = unstable_readConfig(
    { config: join(projectRoot, 'wrangler.toml'), env: toWranglerEnv(environment) },
    { hideWarnings: true },
  );
  const { targetEnvironment: _, definedEnvironments: __, ...rest } = config;
  const text = JSON.stringify(rest)
    .replaceAll(`resnet-edge-${environment}`, 'resnet-edge')
    .replace(/"namespace_id":"100\d"/, '"namespace_id":""');
  return JSON.parse(text);
}

it('staging is production but for its names', () => {
  expect(readAsProduction('staging')).toEqual(readAsProduction('production'));
});

it('no environment shares a bucket, a database, a queue or a count of requests with another', async () => {
  const deployments = await Promise.all(environments.map((name) => readDeployment(name)));
  const names = deployments.flatMap(({ name, buckets, databases, queues }) => [
    name,
    ...buckets,
    ...databases.map((database) => `${database} (D1)`),
    ...queues,
  ]);
  expect(names).toHaveLength(new Set(names).size);
  const limiters = environments.map((environment) => {
    const config = unstable_readConfig({
      config: join(projectRoot, 'wrangler.toml'),
      env: toWranglerEnv(environment),
    });
    return config.ratelimits[0].namespace_id;
  });
  expect(new Set(limiters).size).toBe(environments.length);
});

it('no id of an account stands in wrangler.toml', () => {
  const config = unstable_readConfig({ config: join(projectRoot, 'wrangler.toml') }, { hideWarnings: true });
  expect(config.account_id).toBeUndefined();
  expect(JSON.stringify(config)).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/);
});
