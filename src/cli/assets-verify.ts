import { verifyAssets } from './assets.ts';

try {
  const hashes = await verifyAssets();
  for (const [key, sha256] of hashes) console.log(`${sha256}  ${key}`);
  console.log(`${hashes.size} model assets verified`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
