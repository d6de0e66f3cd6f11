import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Command, CommandGroup } from '../../src/cli/command-line/command.ts';
import { runCommand } from '../../src/cli/command-line/run-command.ts';
import { commands } from '../../src/cli/commands.ts';
import { projectRoot } from '../../src/cli/paths.ts';

let out = '';
let err = '';
beforeEach(() => {
  out = '';
  err = '';
  vi.spyOn(console, 'log').mockImplementation((text) => {
    out += `${text}\n`;
  });
  vi.spyOn(console, 'error').mockImplementation((text) => {
    err += `${text}\n`;
  });
});
afterEach(() => vi.restoreAllMocks());

/** Every command, those of a group with the words that lead to them. */
async function listCommands(): Promise<[string, Command][]> {
  const loaded = await Promise.all(
    Object.entries(commands).map(async ([name, { load }]) => [name, await load()] as const),
  );
  return loaded.flatMap(([name, command]: readonly [string, Command | CommandGroup]) =>
    'commands' in command
      ? Object.entries(command.commands).map(([word, one]): [string, Command] => [`${name} ${word}`, one])
      : [[name, command] as [string, Command]],
  );
}

const all = await listCommands();

it.each(all)('%s --help: says how it is called', async (name, command) => {
  expect(await runCommand(command, ['--help'])).toBe(0);
  expect(out.split('\n')[0]).toMatch(/^Usage: npm /);
  expect(out.split('\n')[0]).toContain(name.split(' ').at(-1));
  for (const option of Object.keys(command.options)) expect(out).toContain(`--${option}`);
  expect(err).toBe('');
});

it.each(all)('%s: refuses an option that it does not know, with status 2', async (_, command) => {
  expect(await runCommand(command, ['--no-such-option'])).toBe(2);
  expect(err).toContain("Unknown option '--no-such-option'");
  expect(err).toContain('Usage: ');
  expect(out).toBe('');
});

it.each(all.filter(([, { operands }]) => Number.isFinite(operands.max)))(
  '%s: refuses an argument too many, by name',
  async (_, command) => {
    const surplus = Array.from({ length: command.operands.max + 1 }, (_, index) => `word${index}`);
    expect(await runCommand(command, surplus)).toBe(2);
    expect(err).toContain(`Unexpected argument "${surplus.at(-1)}"`);
  },
);

it.each(all.filter(([, { operands }]) => operands.min > 0))('%s: misses an argument', async (_, command) => {
  expect(await runCommand(command, [])).toBe(2);
  expect(err).toContain('An argument is missing');
});

describe('keys', () => {
  const keys = async (...args: string[]) => await runCommand(await commands['keys']!.load(), args);

  it('prints what the secret wants, and nothing else, to standard output', async () => {
    expect(await keys('shop', '--scopes', 'classify,batch', '--expires-at', '2027-01-31T00:00:00Z')).toBe(0);
    const [row, ...others] = JSON.parse(out);
    expect(others).toEqual([]);
    expect(row).toEqual({
      id: 'shop',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      scopes: ['classify', 'batch'],
      expires_at: '2027-01-31T00:00:00Z',
    });
    const [key] = /re_[\w-]{43}/.exec(err)!;
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key));
    expect(Buffer.from(digest).toString('hex')).toBe(row.sha256);
  });

  it.each([[['two words']], [['shop', '--scopes', 'classify,fly']], [['shop', '--expires-at', 'tomorrow']]])(
    'refuses %s',
    async (args) => {
      expect(await keys(...args)).toBe(2);
      expect(out).toBe('');
    },
  );
});

it('every command has the name of its npm script, and every such script its command', async () => {
  const { scripts } = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8'));
  const called = Object.entries<string>(scripts).flatMap(([script, line]) => {
    const command = /run\.js src\/cli\/main\.ts (\S+)/.exec(line)?.[1];
    return command === undefined ? [] : [[script, command]];
  });
  expect(new Set(called.map(([, command]) => command))).toEqual(new Set(Object.keys(commands)));
  // One script has an option of its own.
  expect(called.filter(([script, command]) => script !== command)).toEqual([['kernels:check', 'kernels']]);
});
