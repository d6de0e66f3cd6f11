import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { maxTopK } from '../limits.ts';
import { startLocalWorker } from './local-worker.ts';

const usage = `Usage: npm run classify -- FILE... [--top-k N] [--model NAME] [--json]

  FILE          image files to classify in a local workerd
  --top-k N     predictions for each file, 1 to 1000 (default 5)
  --model NAME  a model of the catalogue (default: its default model)
  --json        one JSON object a line on standard output instead of tables
  --url URL     ask a server that is already running, for example http://127.0.0.1:8787;
                with the API key in the environment variable RESNET_EDGE_API_KEY, if it wants one

Exits with 1 if any file could not be classified, with 2 if the command line is wrong.`;

interface Prediction {
  readonly class_index: number;
  readonly wnid: string;
  readonly label: string;
  readonly score: number;
}

const barWidth = 24;
const apiKey = process.env['RESNET_EDGE_API_KEY'];
/** npm runs scripts in the project's folder; a relative path means the folder the person is in. */
const callerDir = process.env['INIT_CWD'] ?? process.cwd();

const { files, json, query, url } = parseCommandLine();
// Results go to standard output; progress and failures to standard error, so that both can be piped.
const showProgress = files.length > 1 && process.stderr.isTTY === true;
const worker = url === undefined ? await startLocalWorker(0) : undefined;
let failures = 0;
try {
  const origin = worker?.url ?? url;
  for (const [index, file] of files.entries()) {
    if (showProgress) process.stderr.write(`\r\x1b[K[${index + 1}/${files.length}] ${basename(file)}`);
    const answer = await classifyFile(`${origin}/v1/classify?${query}`, file);
    if (showProgress) process.stderr.write('\r\x1b[K');
    if (!answer.ok) failures++;
    if (json) console.log(JSON.stringify({ file, ...answer.body }));
    else if (answer.ok) printTable(file, answer.body['predictions'] as readonly Prediction[]);
    else console.error(`${file}: ${answer.body['detail']} (${answer.body['code']})`);
  }
} finally {
  await worker?.stop();
}
if (failures > 0) console.error(`${failures} of ${files.length} files failed`);
process.exit(failures > 0 ? 1 : 0);

async function classifyFile(
  endpoint: string,
  file: string,
): Promise<{ ok: boolean; body: Record<string, unknown> }> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(await readFile(resolve(callerDir, file)));
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { ok: false, body: { code: 'file_unreadable', detail } };
  }
  try {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/octet-stream',
        ...(apiKey && { authorization: `Bearer ${apiKey}` }),
      },
      body: bytes,
      signal: AbortSignal.timeout(60_000),
    });
    return { ok: response.ok, body: (await response.json()) as Record<string, unknown> };
  } catch (error) {
    // fetch itself says only that it failed.
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : error;
    return {
      ok: false,
      body: { code: 'server_unreachable', detail: `No answer from ${endpoint}: ${cause}` },
    };
  }
}

function printTable(file: string, predictions: readonly Prediction[]): void {
  const width = Math.max(...predictions.map(({ label }) => label.length));
  console.log(file);
  for (const { label, score } of predictions) {
    const bar = '█'.repeat(Math.round(score * barWidth)).padEnd(barWidth, '·');
    console.log(`  ${label.padEnd(width)}  ${bar}  ${score.toFixed(4)}`);
  }
}

function parseCommandLine() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        'top-k': { type: 'string' },
        model: { type: 'string' },
        json: { type: 'boolean', default: false },
        url: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      console.log(usage);
      process.exit(0);
    }
    if (positionals.length === 0) throw new Error('No file given.');
    const parameters = new URLSearchParams();
    if (values['top-k'] !== undefined) {
      const topK = Number(values['top-k']);
      if (!Number.isInteger(topK) || topK < 1 || topK > maxTopK) {
        throw new Error(`--top-k must be a whole number from 1 to ${maxTopK}, got "${values['top-k']}".`);
      }
      parameters.set('top_k', values['top-k']);
    }
    if (values.model !== undefined) parameters.set('model', values.model);
    if (values.url !== undefined && !/^https?:$/.test(URL.parse(values.url)?.protocol ?? ''))
      throw new Error(`--url must be an http(s) URL, got "${values.url}".`);
    return {
      files: positionals,
      json: values.json,
      query: parameters.toString(),
      url: values.url?.replace(/\/+$/, ''),
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    process.exit(2);
  }
}
