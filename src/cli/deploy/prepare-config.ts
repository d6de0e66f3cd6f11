import { buildTarget, findBuilt } from '../build/build-target.ts';
import { fingerprintSources } from '../build/source-fingerprint.ts';
import { prepareWranglerConfig } from '../build/wrangler-config.ts';

/** The configuration of a deploy, with the pages that are uploaded beside the Worker. @returns an absolute path. */
export async function prepareDeployConfig(): Promise<string> {
  const fingerprint = await fingerprintSources();
  const web = (await findBuilt('web', fingerprint)) ?? (await buildTarget('web', fingerprint, ''));
  return await prepareWranglerConfig(web);
}
