import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { callWrangler } from './call-wrangler.ts';

/** The line of wrangler's machine-readable output that tells of a deploy. */
const deployEntrySchema = z.object({ type: z.literal('deploy'), targets: z.array(z.string()).default([]) });

/**
 * Uploads the Worker together with its secrets, so that no version of it runs without them.
 *
 * @param secretsFile undefined if there is no new secret: those that it has are kept.
 * @returns where it answers.
 * @throws {WranglerError}
 */
export async function deployWorker(
  args: readonly string[],
  secretsFile: string | undefined,
): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'resnet-edge-'));
  try {
    const outputPath = join(folder, 'output.ndjson');
    const secrets = secretsFile === undefined ? [] : ['--secrets-file', secretsFile];
    await callWrangler([...args, ...secrets], { WRANGLER_OUTPUT_FILE_PATH: outputPath });
    const lines = (await readFile(outputPath, 'utf8')).trim().split('\n');
    return lines.flatMap((line) => {
      const { success, data } = deployEntrySchema.safeParse(JSON.parse(line));
      return success ? data.targets.flatMap(toUrl) : [];
    });
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
