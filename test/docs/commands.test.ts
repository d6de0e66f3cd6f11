import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/cli/paths.ts';

/** Commands of the documents, each with the test or the check of CI that runs it, and a text that stands in there. */
const runners: readonly { command: RegExp; by: string; text: string }[] = [
  { command: /^npm run models -- teach /, by: 'test/edge/heads.test.ts', text: "'teach'" },
  { command: /^curl .*\/v1\/embeddings'$/, by: 'test/edge/embeddings.test.ts', text: '/v1/embeddings' },
  { command: /^npm ci( && npm (start|test))?$/, by: '.ci/run', text: 'npm ci' },
  { command: /^npm test$/, by: '.ci/run', text: 'npm test' },
  { command: /^npm run test:unit$/, by: 'package.json', text: '"test:unit"' },
  {
    command: /^curl --data-binary @test\/golden\/cat\.jpg .*\/v1\/classify/,
    by: 'test/edge/commands.test.ts',
    text: 'curl',
  },
  { command: /^(npx resnet-edge|npm run) classify\b/, by: 'test/edge/commands.test.ts', text: "'classify'" },
  { command: /^npx resnet-edge embed\b/, by: 'test/edge/commands.test.ts', text: "'embed'" },
  {
    command: /^curl .*\/v1\/(classifiers|classify\?model=\$ID)/,
    by: 'test/edge/classifiers.test.ts',
    text: '/v1/classifiers',
  },
  { command: /^npm run deploy:setup$/, by: 'test/cli/deploy-setup.test.ts', text: "'deploy:setup'" },
  { command: /^npm run build:web$/, by: 'test/build-edge.ts', text: "'build'" },
  { command: /^npm run build:package$/, by: 'test/package/check-package.ts', text: "'build:package'" },
  { command: /^npm pack \.\/dist\/package$/, by: 'test/package/check-package.ts', text: "'./dist/package'" },
  { command: /^npm run start:all$/, by: 'test/edge/batch-restart.test.ts', text: "'start:all'" },
  {
    command: /^TIER_SECRET=.* npm run start:batch$/,
    by: 'test/tier/server/tier-process.ts',
    text: 'functions/batch.ts',
  },
  {
    command: /^for f in \*\.jpg; do .* \| curl .*\/v1\/batches/,
    by: 'test/edge/batches.test.ts',
    text: 'x-ndjson',
  },
];

/** Each in models.test.ts, which runs the command line as a process. */
const modelCommands = ['import', 'quantize', 'eval', 'push', 'promote', 'bench'] as const;

const documents = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: projectRoot,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '');
const read = (file: string) => readFile(join(projectRoot, file), 'utf8');

interface Documented {
  readonly command: string;
  /** Marked as such, at the command or at the head of its block. */
  readonly isNotRunHere: boolean;
}

/** Commands of the blocks that are called `sh`, and of those called `console` what follows a `$`. */
function readCommands(text: string): Documented[] {
  const blocks = Array.from(text.matchAll(/^```(sh|console)\n([\s\S]*?)^```/gm));
  return blocks.flatMap(([, kind, body = '']) => {
    const lines = body
      .replaceAll(/(\\|\|)\n\s*/g, (_, end) => (end === '|' ? '| ' : ''))
      .split('\n')
      .filter((line) => line !== '');
    const isBlockMarked = lines[0]?.startsWith('# Not run here') === true;
    return lines
      .filter((line) => !line.startsWith('#') && (kind === 'sh' || line.startsWith('$ ')))
      .map((line) => ({
        command: line.replace(/^\$ /, '').replace(/ +# .*$/, ''),
        isNotRunHere: isBlockMarked || /# not run here/.test(line),
      }));
  });
}

const commands = (
  await Promise.all(
    documents.map(async (file) => readCommands(await read(file)).map((found) => ({ file, ...found }))),
  )
).flat();

describe('every command of a document is run, or says that it is not run here', () => {
  it('finds them', () => expect(commands.length).toBeGreaterThan(15));
  it.each(commands)('$file: $command', async ({ command, isNotRunHere }) => {
    if (isNotRunHere) return;
    const model = modelCommands.find((name) => command.startsWith(`npm run models -- ${name} `));
    const runner = model
      ? { by: 'test/cli/models.test.ts', text: `'${model}'` }
      : runners.find((candidate) => candidate.command.test(command));
    expect(runner, 'name what runs it, or mark it "# not run here"').toBeDefined();
    expect(await read(runner!.by)).toContain(runner!.text);
  });
});
