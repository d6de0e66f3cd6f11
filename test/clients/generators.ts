import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../src/cli/paths.ts';
import { run, runJava } from './run-tool.ts';

/** A generator of clients, with what it takes to try one. */
export interface Generator {
  readonly name: string;
  /** Commands that must be on the PATH; without them the generator is skipped. */
  readonly needs: readonly string[];
  /**
   * Generates, compiles and runs a client.
   *
   * @param folder an empty folder.
   * @param document path of the service's /openapi.json.
   * @param call URL of the service and path of a photo: the program's arguments.
   * @returns what the program printed; undefined where no compiler is at hand and the client is only generated.
   */
  tryClient(folder: string, document: string, call: readonly [string, string]): Promise<string | undefined>;
}

const programs = join(projectRoot, 'test/clients/programs');

const typescriptFetch: Generator = {
  name: 'openapi-generator, typescript-fetch',
  needs: ['mvn', 'java', 'npm'],
  async tryClient(folder, document, call) {
    await runJava('typescript-fetch', document, join(folder, 'client'), '');
    return await runTypeScript(folder, 'use-typescript-fetch.ts', [], call);
  },
};

const openapiFetch: Generator = {
  name: 'openapi-typescript, openapi-fetch',
  needs: ['npm'],
  async tryClient(folder, document, call) {
    await run(
      'npm',
      ['install', '--no-save', '--silent', 'openapi-typescript@7.13.0', 'typescript@5.9.3'],
      folder,
    );
    await run(
      join(folder, 'node_modules/.bin/openapi-typescript'),
      [document, '--output', 'schema.d.ts'],
      folder,
    );
    return await runTypeScript(folder, 'use-openapi-fetch.ts', ['openapi-fetch@0.17.0'], call);
  },
};

async function runTypeScript(
  folder: string,
  program: string,
  packages: readonly string[],
  call: readonly string[],
): Promise<string> {
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await cp(join(programs, program), join(folder, 'use.ts'));
  const tools = ['typescript@5.9.3', '@types/node@24.19.2', 'esbuild@0.28.2'];
  await run('npm', ['install', '--no-save', '--silent', ...tools, ...packages], folder);
  const compile =
    'tsc --noEmit --strict --skipLibCheck --target es2022 --module esnext --moduleResolution bundler --lib es2022,dom,dom.iterable --types node use.ts';
  await run('npx', compile.split(' '), folder);
  await run(
    'npx',
    [
      'esbuild',
      'use.ts',
      '--bundle',
      '--platform=node',
      '--format=esm',
      '--outfile=use.mjs',
      '--log-level=warning',
    ],
    folder,
  );
  return await run(process.execPath, ['use.mjs', ...call], folder);
}

const python: Generator = {
  name: 'openapi-generator, python',
  needs: ['mvn', 'java', 'python3'],
  async tryClient(folder, document, call) {
    await runJava('python', document, join(folder, 'client'), 'packageName=edge_client');
    const bin = await makeVenv(folder);
    await run(join(bin, 'pip'), ['install', '--quiet', './client'], folder);
    return await run(join(bin, 'python'), [join(programs, 'use_openapi_generator.py'), ...call], folder);
  },
};

const openapiPythonClient: Generator = {
  name: 'openapi-python-client',
  needs: ['python3'],
  async tryClient(folder, document, call) {
    const bin = await makeVenv(folder);
    await run(join(bin, 'pip'), ['install', '--quiet', 'openapi-python-client==0.29.1'], folder);
    const config = 'package_name_override: edge_client\nproject_name_override: edge-client\npost_hooks: []\n';
    await writeFile(join(folder, 'config.yml'), config);
    await run(
      join(bin, 'openapi-python-client'),
      ['generate', '--path', document, '--output-path', 'client', '--config', 'config.yml'],
      folder,
    );
    await run(join(bin, 'pip'), ['install', '--quiet', './client'], folder);
    return await run(join(bin, 'python'), [join(programs, 'use_openapi_python_client.py'), ...call], folder);
  },
};

async function makeVenv(folder: string): Promise<string> {
  await run('python3', ['-m', 'venv', 'venv'], folder);
  return join(folder, 'venv/bin');
}

const go: Generator = {
  name: 'openapi-generator, go',
  needs: ['mvn', 'java', 'go'],
  async tryClient(folder, document, call) {
    const client = join(folder, 'client');
    const names = ['--git-host', 'example.test', '--git-user-id', 'resnet-edge', '--git-repo-id', 'client'];
    await runJava('go', document, client, 'packageName=edge,withGoMod=true', names);
    await mkdir(join(client, 'cmd/use'), { recursive: true });
    await cp(join(programs, 'use.go'), join(client, 'cmd/use/main.go'));
    await run('go', ['mod', 'tidy'], client);
    await run('go', ['vet', '.', './cmd/use'], client);
    return await run('go', ['run', './cmd/use', ...call], client);
  },
};

const kotlin: Generator = {
  name: 'openapi-generator, kotlin',
  needs: ['mvn', 'java'],
  async tryClient(folder, document, call) {
    await runJava('kotlin', document, folder, '');
    await cp(join(programs, 'kotlin-pom.xml'), join(folder, 'pom.xml'));
    await cp(join(programs, 'Use.kt'), join(folder, 'src/main/kotlin/Use.kt'));
    const printed = await run(
      'mvn',
      [
        '--quiet',
        '--batch-mode',
        '--no-transfer-progress',
        'compile',
        'exec:java',
        `-Dexec.args=${call.join(' ')}`,
      ],
      folder,
    );
    return printed
      .split('\n')
      .filter((line) => line.length > 0 && !/^\[|^\w:|^warning/.test(line))
      .join('\n');
  },
};

const swift6: Generator = {
  name: 'openapi-generator, swift6',
  needs: ['mvn', 'java'],
  async tryClient(folder, document) {
    await runJava('swift6', document, folder, '');
    return undefined;
  },
};

/** What CI tries, and with `--all` what takes minutes or has no compiler here. */
export const quickGenerators = [openapiFetch, typescriptFetch, python, openapiPythonClient, go];
export const otherGenerators = [kotlin, swift6];
