import { modelNameSchema } from '../../model/manifest.ts';

/** @throws {Error} if it cannot be a model's name, saying why. */
export function assertModelName(given: string): string {
  const name = modelNameSchema.safeParse(given);
  if (name.success) return name.data;
  throw new Error(`"${given}" cannot be a model's name: ${name.error.issues[0]?.message}.`);
}
