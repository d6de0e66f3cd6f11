import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { callWrangler } from './call-wrangler.ts';

/** The line of wrangler's machine-readable output that tells of a deploy. */
const deployEntrySchema = z.object({
  type: z.literal('deploy'),
  version_id: z.string(),
  targets: z.array(z.string()).default([]),
});

/** What was deployed. */
export interface DeployResult {
  /** Where it answers. */
  readonly urls: readonly string[];
  /** Id of the Worker's version, for a rollback. */
  readonly versionId: string;
}

/**
 * Uploads the Worker together with its secrets, so that no version of it runs without them.
 *
 * @param secretsFile where there are new secrets; those that it has are kept.
 * @throws {WranglerError}
 */
export async function deployWorker(args: readonly string[], secretsFile?: string): Promise<DeployResult> {
  const folder = await mkdtemp(join(tmpdir(), 'resnet-edge-'));
  try {
    const outputPath = join(folder, 'output.ndjson');
    const secrets = secretsFile === undefined ? [] : ['--secrets-file', secretsFile];
    await callWrangler([...args, ...secrets], { WRANGLER_OUTPUT_FILE_PATH: outputPath });
    const lines = (await readFile(outputPath, 'utf8')).trim().split('\n');
    const entry = lines
      .map((line) => deployEntrySchema.safeParse(JSON.parse(line)))
      .find(({ success }) => success);
    if (!entry?.data) throw new Error('wrangler does not say what it deployed.');
    return { urls: entry.data.targets.flatMap(toUrl), versionId: entry.data.version_id };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Targets are URLs, `images.example.com (custom domain)`, routes, queues and schedules. */
function toUrl(target: string): string[] {
  const domain = /^(\S+) \(custom domain\)$/.exec(target)?.[1];
  if (domain !== undefined) return [`https://${domain}`];
  return /^https?:\/\/[^*]+$/.test(target) ? [target] : [];
}
