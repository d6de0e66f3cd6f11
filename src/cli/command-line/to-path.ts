import { resolve } from 'node:path';

/** The folder that the person is in: npm runs scripts in the project's own folder and tells where it was called. */
export const callerDir = process.env['INIT_CWD'] ?? process.cwd();

/** An absolute path of what was typed. */
export const toPath = (path: string): string => resolve(callerDir, path);
