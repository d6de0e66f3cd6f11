import { verifyAssets } from './assets.ts';

try {
  const assets = await verifyAssets();
  for (const [key, { sha256 }] of assets) console.log(`${sha256}  ${key}`);
  console.log(`${assets.size} model assets verified`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
