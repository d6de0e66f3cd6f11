import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/cli/paths.ts';

const run = promisify(execFile);

describe('a batch’s body in a heap of 64 MB', () => {
  it.each([
    ['list', 'json_invalid'],
    ['largeList', 'body_too_large'],
    ['metadata', 'body_too_large'],
    ['line', 'ok 1'],
    ['form', 'ok 24'],
  ])(
    '%s: %s',
    async (kind, outcome) => {
      const args = [
        '--max-old-space-size=64',
        '--max-semi-space-size=2',
        'test/http/read-large-body.ts',
        kind,
      ];
      const { stdout } = await run(process.execPath, args, { cwd: projectRoot });
      expect(stdout.trim()).toBe(outcome);
    },
    60_000,
  );
});
