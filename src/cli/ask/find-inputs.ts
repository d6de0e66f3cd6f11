import { access, constants, stat } from 'node:fs/promises';
import { toPath } from '../command-line/to-path.ts';
import { UsageError } from '../command-line/usage-error.ts';
import { imageExtensions, listImages } from '../list-images.ts';

/** One image to classify. `name` is what was typed, or a file's path below a folder that was typed. */
export type ImageInput =
  | { readonly kind: 'file'; readonly name: string; readonly path: string }
  | { readonly kind: 'url'; readonly name: string }
  | { readonly kind: 'stdin'; readonly name: '-' };

/**
 * Finds the images that operands name: files, folders with all files below them, http(s) URLs, and `-` for standard input.
 *
 * @throws {UsageError} for a file that cannot be read, a folder without images, a second `-`: before anything starts.
 */
export async function findInputs(operands: readonly string[]): Promise<readonly ImageInput[]> {
  if (operands.filter((operand) => operand === '-').length > 1) {
    throw new UsageError('Standard input ("-") can be read once only.');
  }
  return (await Promise.all(operands.map(findInput))).flat();
}

async function findInput(operand: string): Promise<readonly ImageInput[]> {
  if (operand === '-') {
    if (process.stdin.isTTY)
      throw new UsageError('Standard input ("-") is a terminal: pipe an image into it.');
    return [{ kind: 'stdin', name: '-' }];
  }
  if (/^https?:\/\//i.test(operand)) {
    if (!URL.canParse(operand)) throw new UsageError(`${operand} is not a URL.`);
    return [{ kind: 'url', name: operand }];
  }
  const path = toPath(operand);
  const found = await stat(path).catch((error: unknown) => {
    throw new UsageError(toReason(operand, error), { cause: error });
  });
  if (!found.isDirectory()) {
    await assertReadable(operand, path);
    return [{ kind: 'file', name: operand, path }];
  }
  const images = await listImages(path);
  if (images.length === 0) {
    throw new UsageError(
      `There are no images (${[...imageExtensions].join(', ')}) in the folder ${operand}.`,
    );
  }
  return images.map((image) => ({
    kind: 'file',
    name: `${operand.replace(/\/$/, '')}${image.slice(path.length)}`,
    path: image,
  }));
}

async function assertReadable(name: string, path: string): Promise<void> {
  await access(path, constants.R_OK).catch((error: unknown) => {
    throw new UsageError(toReason(name, error), { cause: error });
  });
}

function toReason(name: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? `There is no file ${name}.` : `${name} cannot be read (${code}).`;
}
