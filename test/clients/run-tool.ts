import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';

const execute = promisify(execFile);
const timeout = 400_000;
const generatorVersion = '7.17.0';
const artifact = 'org.openapitools:openapi-generator-cli';

/** @returns what the tool printed. @throws {Error} with all that it said, if it fails. */
export async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    const { stdout } = await execute(command, args, { cwd, timeout, maxBuffer: 2 ** 26 });
    // Maven colours its output even into a file.
    return stripVTControlCharacters(stdout).trim();
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')}\n${stdout ?? ''}\n${stderr ?? ''}`.slice(0, 4000), {
      cause: error,
    });
  }
}

/** Whether a command is on the PATH. */
export async function isInstalled(command: string): Promise<boolean> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (
      await access(join(folder, command), constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return true;
  }
  return false;
}

let jar: Promise<string> | undefined;

/** Runs openapi-generator, which Maven fetches once. */
export async function runJava(
  generator: string,
  document: string,
  output: string,
  properties: string,
  more: readonly string[] = [],
): Promise<void> {
  jar ??= fetchJar();
  const args = ['-jar', await jar, 'generate', '-i', document, '-g', generator, '-o', output, ...more];
  await run('java', properties ? [...args, `--additional-properties=${properties}`] : args, '.');
}

async function fetchJar(): Promise<string> {
  await run(
    'mvn',
    ['-q', '-B', 'dependency:get', `-Dartifact=${artifact}:${generatorVersion}`, '-Dtransitive=false'],
    '.',
  );
  const folder = join(homedir(), '.m2/repository', artifact.replaceAll(/[.:]/g, '/'), generatorVersion);
  return join(folder, `openapi-generator-cli-${generatorVersion}.jar`);
}
