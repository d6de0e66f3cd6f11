/**
 * `npm run check:package`: makes the package, installs it in an empty project as a stranger would, type-checks the
 * project with the libraries' declarations, and classifies a photo in wrangler's local runtime. Needs the npm registry.
 */
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { projectRoot } from '../../src/cli/paths.ts';
import { run } from '../clients/run-tool.ts';
import { goldenPath } from '../golden/golden.ts';
import { readScriptOptions } from '../read-script-options.ts';
import { startWranglerDev } from './wrangler-dev.ts';

readScriptOptions('Usage: npm run check:package', {});
const maxInstalledBytes = 40e6;

const root = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8')) as {
  devDependencies: Record<string, string>;
};
const versionOf = (name: string) => `${name}@${root.devDependencies[name]}`;
const folder = await mkdtemp(join(tmpdir(), 'resnet-edge-package-'));
const counts = { passed: 0, failed: 0 };

async function check(name: string, proof: () => Promise<string>): Promise<void> {
  try {
    console.log(`${name}: ${await proof()}`);
    counts.passed++;
  } catch (error) {
    console.error(`${name}: failed: ${error instanceof Error ? error.message : error}`);
    counts.failed++;
  }
}

function assertEqual(got: unknown, wanted: unknown, what: string): void {
  if (got !== wanted) throw new Error(`${what} is ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`);
}

try {
  await run('npm', ['run', '--silent', 'build:package'], projectRoot);
  const packed = await run(
    'npm',
    ['pack', './dist/package', '--silent', '--pack-destination', folder],
    projectRoot,
  );
  const tarball = join(folder, packed.split('\n').at(-1)!);
  const project = join(folder, 'project');
  await cp(join(projectRoot, 'test/package/consumer'), project, { recursive: true });
  await writeFile(join(project, 'package.json'), '{"name":"consumer","private":true,"type":"module"}');
  const install = ['install', '--silent', '--no-audit', '--no-fund'];

  await check('publint', async () => {
    const report = await run('npx', ['--yes', 'publint@0.3.14', './dist/package', '--strict'], projectRoot);
    if (!report.includes('All good!')) throw new Error(report);
    return 'all good';
  });
  await check('attw', async () => {
    // It ends with another status than 0 where it finds something.
    await run('npx', ['--yes', '@arethetypeswrong/cli@0.18.5', tarball, '--profile', 'esm-only'], folder);
    return 'no problems found';
  });
  await check('install', async () => {
    // With scripts allowed, as by default: there is none to run.
    await run('npm', [...install, '--ignore-scripts=false', tarball], project);
    const bytes = await sizeOf(join(project, 'node_modules'));
    if (bytes > maxInstalledBytes) throw new Error(`${bytes} bytes are more than ${maxInstalledBytes}`);
    return `${(bytes / 1e6).toFixed(1)} MB in node_modules`;
  });
  await check('types, skipLibCheck off', async () => {
    const tools = [versionOf('typescript'), versionOf('@cloudflare/workers-types'), versionOf('wrangler')];
    await run('npm', [...install, '--ignore-scripts', '--save-dev', ...tools], project);
    await run('npx', ['tsc', '-p', '.'], project);
    return 'no error';
  });
  await cp(join(project, 'node_modules/resnet-edge/wrangler.toml'), join(project, 'wrangler.toml'));
  await check('resnet-edge-models', async () => {
    await run('npx', ['resnet-edge-models', 'my-models', '--local'], project);
    return 'the model is in the local bucket';
  });
  await check('resnet-edge/worker in workerd', async () => {
    const dev = await startWranglerDev(project, 'src/index.ts');
    try {
      const response = await dev.fetch('/v1/classify?top_k=1', await readFile(goldenPath('cat.jpg')));
      const { predictions } = (await response.json()) as { predictions?: { label: string }[] };
      assertEqual(predictions?.[0]?.label, 'Egyptian cat', 'the label');
      return 'Egyptian cat';
    } finally {
      await dev.stop();
    }
  });
  await check('resnet-edge/app and /image in workerd', async () => {
    const dev = await startWranglerDev(project, 'src/parts.ts');
    try {
      const large = await sharp(goldenPath('cat.jpg')).resize(4032, 3024, { fit: 'fill' }).jpeg().toBuffer();
      const answer = await (await dev.fetch('/thumbnail', large)).text();
      const wanted = { format: 'jpeg', width: 320, height: 240, bytes: 320 * 240 * 3, crop: 224 * 224 * 3 };
      assertEqual(answer, JSON.stringify(wanted), 'the thumbnail');
      const heic = await readFile('test/fixtures/heif-cases/phone-12-megapixels.heic');
      const ofHeic = await (await dev.fetch('/thumbnail', heic)).text();
      assertEqual(ofHeic, JSON.stringify({ ...wanted, format: 'heic' }), 'the thumbnail of a HEIC');
      const broken = await dev.fetch('/thumbnail', Buffer.from('not an image'));
      assertEqual(await broken.text(), '{"code":"image_format_unknown"}', 'the answer to a broken file');
      const classified = await dev.fetch('/classifier/v1/classify', await readFile(goldenPath('cat.jpg')));
      assertEqual(classified.status, 200, 'the status of the mounted API');
      return 'a thumbnail of 12 megapixels, and the API below a path';
    } finally {
      await dev.stop();
    }
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 ? 0 : 1;

/** @returns bytes of all files below a folder. */
async function sizeOf(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
