import { runWrangler, type WranglerResult } from '../build/wrangler.ts';

/** wrangler ended with another status than 0. */
export class WranglerError extends Error {
  override readonly name = 'WranglerError';
  /** What a person would have seen, on either stream. */
  readonly output: string;

  constructor(args: readonly string[], output: string) {
    super(`wrangler ${args.join(' ')} failed:\n${indent(toErrorText(output))}`);
    this.output = output;
  }

  /** Whether Cloudflare's API gave this error code, as wrangler shows it: `[code: 10006]`. */
  hasCode(code: number): boolean {
    return this.output.includes(`[code: ${code}]`);
  }
}

/**
 * Runs wrangler against the account that it is logged in to.
 *
 * @throws {WranglerError}
 */
export async function callWrangler(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<WranglerResult> {
  const result = await runWrangler(args, env);
  if (result.status !== 0) throw new WranglerError(args, result.output);
  return result;
}

/** The part of the output that begins with the error; all of it if no error is marked. */
function toErrorText(output: string): string {
  const from = output.indexOf('[ERROR]');
  const text = from < 0 ? output : output.slice(from + '[ERROR]'.length);
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/Logs were written to|If you think this is a bug/.test(line))
    .join('\n');
}

const indent = (text: string) => text.replace(/^/gm, '  ');
