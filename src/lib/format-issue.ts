/** One issue of a ZodError. */
export interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/**
 * `inputs[0].shape: expected array`, without a full stop.
 *
 * @param issue the first of a `ZodError`, which has at least one.
 * @param whole the text before the colon if no single field is wrong.
 */
export function formatIssue(issue: Issue | undefined, whole: string): string {
  return `${formatPath(issue?.path ?? []) || whole}: ${issue?.message ?? 'not valid'}`;
}

/** `inputs[0].shape`; empty if the path is empty. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}
