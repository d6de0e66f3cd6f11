import { z } from 'zod';
import { CodedError } from '../src/errors.ts';

/** Words separated by spaces or commas. */
export const list = z
  .string()
  .default('')
  .transform((text) => text.split(/[\s,]+/).filter(Boolean));

/** A number. An empty variable is an error, and not 0. */
export const number = z
  .union([z.number(), z.string().regex(/\S/, 'a number is needed, and it is empty')])
  .pipe(z.coerce.number());

export const positive = number.pipe(z.number().positive());

/** @throws {CodedError} `configuration_invalid`, naming the variable and never showing its value. */
export function parseVariables<T>(schema: z.ZodType<T>, env: object): T {
  const { success, data, error } = schema.safeParse(env);
  if (success) return data;
  const [issue] = error.issues;
  throw invalidVariable(`${issue?.path.join('.')}`, `${issue?.message}`);
}

export function invalidVariable(name: string, reason: string, cause?: unknown): CodedError {
  return new CodedError('configuration_invalid', `The variable ${name} is not valid: ${reason}.`, { cause });
}
