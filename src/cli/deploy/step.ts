import { UsageError } from '../command-line/usage-error.ts';
import { findAdvice } from './advice.ts';

/** A step that makes one thing for a deployment. Running it again changes nothing. */
export interface Step {
  readonly title: string;
  /** The commands that it calls, as a person would type them, each with its condition before it, if there is one. */
  readonly calls: readonly string[];
  /** @returns the outcome, in a few words. */
  run(): Promise<string>;
}

/** A step failed. What earlier steps made is there, and the next run goes on from it. */
export class StepError extends Error {
  override readonly name = 'StepError';

  constructor(position: string, title: string, cause: unknown, again: string) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      [
        `Step ${position}, "${title}", failed.`,
        reason,
        `What to do: ${findAdvice(reason)}`,
        `What was made stays. Then go on with: ${again}`,
      ].join('\n'),
      { cause },
    );
  }
}

/** Prints what `runSteps` would do, and does nothing. */
export function printSteps(steps: readonly Step[]): void {
  for (const [index, { title, calls }] of steps.entries()) {
    console.log(`${index + 1}. ${title}`);
    for (const call of calls) console.log(`     ${call}`);
  }
}

/**
 * Runs steps in order and tells of each.
 *
 * @param again the command line that goes on after a failure.
 * @throws {StepError} from the first that fails.
 */
export async function runSteps(steps: readonly Step[], again: string): Promise<void> {
  for (const [index, { title, run }] of steps.entries()) {
    const position = `${index + 1} of ${steps.length}`;
    process.stdout.write(`[${position}] ${title} ... `);
    try {
      console.log(await run());
    } catch (error) {
      console.log('failed');
      if (error instanceof UsageError) throw error;
      throw new StepError(position, title, error, again);
    }
  }
}
