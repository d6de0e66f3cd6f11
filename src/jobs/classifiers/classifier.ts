import { z } from 'zod';

/** Classes that a caller teaches: a head over the features of a base model, which answers under the classifier's id. */
export interface TaughtClassifier {
  /** Also the model's name. */
  readonly id: string;
  /** Id of the API key that made it, or `public`. */
  readonly owner: string;
  /** The name that its owner gave it. */
  readonly name: string;
  /** The version whose features it learns from. */
  readonly base: { readonly name: string; readonly version: string };
  /** Grows with each change of the examples. */
  readonly revision: number;
  /** The version that answers. */
  readonly version: number | undefined;
  /** Milliseconds since 1970, like all times. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** The owner of new classifiers, and the caller whose quota they count against. */
export interface Teacher {
  readonly owner: string;
  /** The key, or the address of an anonymous caller. */
  readonly payer: string;
}

/** A photo that is learned from. */
export interface ClassifierExample {
  /** SHA-256 of the picture, lower-case hex. */
  readonly id: string;
  readonly class: string;
  /** What a person knows it by. */
  readonly name: string;
  readonly createdAt: number;
}

export interface ClassCount {
  readonly name: string;
  readonly examples: number;
}

/** A photo that is still to be fetched, or that could not be fetched. */
export interface ClassifierImport {
  readonly id: string;
  readonly classifier: string;
  readonly class: string;
  readonly reference: ImportReference;
  readonly attempts: number;
  readonly error: VersionError | undefined;
}

export const importReferenceSchema = z.union([
  z.strictObject({ url: z.string() }),
  z.strictObject({ r2_key: z.string() }),
]);
export type ImportReference = z.infer<typeof importReferenceSchema>;

export type VersionState = 'training' | 'ready' | 'failed';

export interface VersionError {
  readonly code: string;
  readonly detail: string;
}

export interface ClassifierVersion {
  readonly version: number;
  readonly state: VersionState;
  /** The classifier's revision that the version learns from; undefined before the lesson begins. */
  readonly revision: number | undefined;
  readonly classes: number | undefined;
  readonly examples: number | undefined;
  /** Accuracy on photos whose scene was held out, with its 95 % interval. */
  readonly accuracy: { readonly estimate: number; readonly low: number; readonly high: number } | undefined;
  readonly error: VersionError | undefined;
  readonly createdAt: number;
}

/** Everything that is shown of a classifier. */
export interface ClassifierOverview {
  readonly classifier: TaughtClassifier;
  readonly classes: readonly ClassCount[];
  /** Newest first. */
  readonly versions: readonly ClassifierVersion[];
  readonly imports: { readonly waiting: number; readonly failed: number };
}

const idBytes = 16;
const idPattern = /^clf-[a-z2-7]{26}$/;
const base32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** @returns an id with 128 random bits. It gives access to a classifier of an anonymous caller. It is a valid model name. */
export function createClassifierId(): string {
  let bits = 0;
  let count = 0;
  let text = '';
  for (const byte of [...crypto.getRandomValues(new Uint8Array(idBytes)), 0]) {
    bits = (bits << 8) | byte;
    for (count += 8; count >= 5; count -= 5) text += base32[(bits >> (count - 5)) & 31];
    bits &= (1 << count) - 1;
  }
  return `clf-${text.slice(0, 26)}`;
}

export function isClassifierId(name: string): boolean {
  return idPattern.test(name);
}

/** A queue message. It names the work to do and has none of its data. */
export const lessonMessageSchema = z.union([
  z.strictObject({ classifier: z.string().max(64), version: z.int().positive() }),
  z.strictObject({ classifier: z.string().max(64), imports: z.array(z.string().max(64)).max(100) }),
]);
export type LessonMessage = z.infer<typeof lessonMessageSchema>;
