import { createHash } from 'node:crypto';
import type { Sha256 } from './verified-chunks.ts';

export function createNodeSha256(): Sha256 {
  const hash = createHash('sha256');
  return { update: (chunk) => void hash.update(chunk), digest: () => hash.digest('hex') };
}
