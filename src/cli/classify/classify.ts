import { maxTopK } from '../../limits.ts';
import { defineCommand } from '../command-line/command.ts';
import { toOrigin } from '../command-line/to-origin.ts';
import { UsageError } from '../command-line/usage-error.ts';
import { startLocalWorker } from '../local/local-worker.ts';
import { createSteps, silentSteps } from '../local/steps.ts';
import { askService, type ServiceAnswer } from './ask-service.ts';
import { findInputs, type ImageInput } from './find-inputs.ts';
import { toTable } from './to-table.ts';

/** `npm run classify`: labels in the terminal. */
export const classify = defineCommand({
  usage: `Usage: npm run classify -- IMAGE... [--top-k N] [--model NAME] [--json] [--url URL]

  IMAGE         a file, a folder (all images in it and below it), an http(s) URL, or - for standard input
  --top-k N     predictions for each image, 1 to ${maxTopK} (default 5)
  --model NAME  a model of the catalogue (default: its default model)
  --json        one JSON object a line instead of tables
  --url URL     ask a server that is already running, for example http://127.0.0.1:8787, with the API key in the
                variable RESNET_EDGE_API_KEY if it wants one; without --url the service runs as long as this command

Results go to standard output, everything else to standard error. npm run prints two lines of its own to standard
output before: npx resnet-edge classify --json IMAGE... prints nothing but JSON there.
Exits with 1 if an image could not be classified, with 2 if the command line is wrong or names a file that is not there.`,
  options: {
    'top-k': { type: 'string' },
    model: { type: 'string' },
    json: { type: 'boolean', default: false },
    url: { type: 'string' },
  },
  operands: { min: 1, max: Number.POSITIVE_INFINITY },
  async run(values, operands) {
    const query = toQuery(values['top-k'], values.model);
    const url = values.url === undefined ? undefined : toOrigin(values.url, '--url');
    const inputs = await findInputs(operands);
    if (values.json) warnOfNpm();
    const isWatched = process.stderr.isTTY === true;
    const worker =
      url === undefined
        ? await startLocalWorker({ port: 0, steps: isWatched ? createSteps(process.stderr) : silentSteps })
        : undefined;
    try {
      const endpoint = `${worker?.url ?? url}/v1/classify?${query}`;
      return await classifyAll(inputs, endpoint, values.json, isWatched && inputs.length > 1);
    } finally {
      await worker?.stop();
    }
  },
});

/** npm prints lines of its own before this command starts. A person who pipes them is told. */
function warnOfNpm(): void {
  const { npm_lifecycle_event: script, npm_config_loglevel: level } = process.env;
  if (script !== 'classify' || level === 'silent' || process.stdout.isTTY) return;
  console.error(
    'npm run prints two lines before the JSON. npx resnet-edge classify --json prints JSON alone.',
  );
}

/** @returns the exit status. */
async function classifyAll(
  inputs: readonly ImageInput[],
  endpoint: string,
  asJson: boolean,
  showProgress: boolean,
): Promise<number> {
  let failures = 0;
  for (const [index, input] of inputs.entries()) {
    if (showProgress) process.stderr.write(`\r\x1b[K[${index + 1}/${inputs.length}] ${input.name}`);
    const answer = await askService(endpoint, input);
    if (showProgress) process.stderr.write('\r\x1b[K');
    if (!answer.ok) failures++;
    show(input, answer, asJson);
  }
  if (failures > 0) console.error(`${failures} of ${inputs.length} images failed`);
  return failures > 0 ? 1 : 0;
}

function show({ name }: ImageInput, answer: ServiceAnswer, asJson: boolean): void {
  if (asJson) console.log(JSON.stringify({ file: name, ...answer.body }));
  else if (answer.ok) console.log(`${name}\n${toTable(answer.body.predictions)}`);
  else console.error(`${name}: ${answer.body.detail} (${answer.body.code})`);
}

function toQuery(topK: string | undefined, model: string | undefined): string {
  const parameters = new URLSearchParams();
  if (topK !== undefined) {
    if (!/^\d+$/.test(topK) || Number(topK) < 1 || Number(topK) > maxTopK) {
      throw new UsageError(`--top-k must be a whole number from 1 to ${maxTopK}, got "${topK}".`);
    }
    parameters.set('top_k', topK);
  }
  if (model !== undefined) parameters.set('model', model);
  return parameters.toString();
}
