import { rm } from 'node:fs/promises';
import { buildDir, engineBuildDir } from './paths.ts';

/** Before `npm run build`: wrangler leaves what it wrote earlier, and a module of another hash has another name. */
for (const folder of [buildDir, engineBuildDir]) await rm(folder, { recursive: true, force: true });
