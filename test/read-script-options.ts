import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

/**
 * Reads the command line of a script of this folder, such as a bench. Prints `usage` and ends with status 2 if an
 * argument is unknown, surplus or lacks its value; prints `usage` and ends with status 0 for `--help`.
 */
export function readScriptOptions<const O extends ParseArgsOptionsConfig>(usage: string, options: O) {
  try {
    const { values } = parseArgs({ options });
    return values;
  } catch (error) {
    const isHelp = process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h');
    if (!isHelp) console.error(error instanceof Error ? error.message : error);
    console[isHelp ? 'log' : 'error'](usage);
    process.exit(isHelp ? 0 : 2);
  }
}

/** A count from the command line. Ends with status 2 if it is no whole number of at least 1. */
export function readCount(text: string, name: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  console.error(`${name} must be a whole number of at least 1, got "${text}".`);
  process.exit(2);
}
