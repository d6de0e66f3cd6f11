import { toOrigin } from '../command-line/to-origin.ts';
import { startLocalWorker } from '../local/local-worker.ts';
import { createSteps, silentSteps } from '../local/steps.ts';
import { askService, type Question } from './ask-service.ts';
import { findInputs } from './find-inputs.ts';

/** The options of every command that asks about images. */
export const askOptions = {
  model: { type: 'string' },
  url: { type: 'string' },
} as const;

/** The part of the help about operands, `--url` and the exit status. */
export const askHelp = {
  image: 'a file, a folder (all images in it and below it), an http(s) URL, or - for standard input',
  url: `ask a server that is already running, for example http://127.0.0.1:8787, with the API key in the
                variable RESNET_EDGE_API_KEY if it wants one; without --url the service runs as long as this command`,
  exit: `Exits with 1 if an image has no answer, with 2 if the command line is wrong or names a file that is not there.`,
};

interface EachQuestion<T extends object> extends Question<T> {
  /** The command's name, for the warning about npm's own lines. */
  readonly command: string;
  readonly operands: readonly string[];
  /** `--url`: undefined starts a service that runs as long as this call. */
  readonly url: string | undefined;
  /** One JSON object a line: the answer and `file`. Otherwise `show` makes the text. */
  readonly asJson: boolean;
  readonly show: (answer: T) => string;
}

/**
 * Asks about one image after another. Results go to standard output, everything else to standard error.
 *
 * @returns the exit status.
 * @throws {UsageError} for a wrong operand or a wrong URL, before anything starts.
 */
export async function askEach<T extends object>(question: EachQuestion<T>): Promise<number> {
  const url = question.url === undefined ? undefined : toOrigin(question.url, '--url');
  const inputs = await findInputs(question.operands);
  if (question.asJson) warnOfNpm(question.command);
  const isWatched = process.stderr.isTTY === true;
  const worker =
    url === undefined
      ? await startLocalWorker({ port: 0, steps: isWatched ? createSteps(process.stderr) : silentSteps })
      : undefined;
  try {
    const origin = worker?.url ?? url ?? '';
    let failures = 0;
    for (const [index, input] of inputs.entries()) {
      const showsProgress = isWatched && inputs.length > 1;
      if (showsProgress) process.stderr.write(`\r\x1b[K[${index + 1}/${inputs.length}] ${input.name}`);
      const answer = await askService(origin, question, input);
      if (showsProgress) process.stderr.write('\r\x1b[K');
      if (!answer.ok) failures++;
      if (question.asJson) console.log(JSON.stringify({ file: input.name, ...answer.body }));
      else if (answer.ok) console.log(`${input.name}\n${question.show(answer.body)}`);
      else console.error(`${input.name}: ${answer.body.detail} (${answer.body.code})`);
    }
    if (failures > 0) console.error(`${failures} of ${inputs.length} images failed`);
    return failures > 0 ? 1 : 0;
  } finally {
    await worker?.stop();
  }
}

/** npm prints lines of its own before this command starts. Warns a person who pipes them. */
function warnOfNpm(command: string): void {
  const { npm_lifecycle_event: script, npm_config_loglevel: level } = process.env;
  if (script !== command || level === 'silent' || process.stdout.isTTY) return;
  console.error(
    `npm run prints two lines before the JSON. npx resnet-edge ${command} --json prints JSON alone.`,
  );
}
