import { CodedError } from '../errors.ts';
import type { ImageFormat } from './image.ts';

/** How a format is called in a message that a person reads. */
const displayName: Readonly<Record<ImageFormat, string>> = {
  jpeg: 'JPEG',
  png: 'PNG',
  gif: 'GIF',
  bmp: 'BMP',
  tiff: 'TIFF',
  webp: 'WebP',
  avif: 'AVIF',
  heic: 'HEIC',
};

/** The bytes break the rules of their own format. */
export function malformed(format: ImageFormat, problem: string, options?: ErrorOptions): CodedError {
  return new CodedError('image_malformed', `The ${displayName[format]} is malformed: ${problem}.`, options);
}

/** The bytes end before the pixels do. */
export function truncated(format: ImageFormat, where: string): CodedError {
  return new CodedError('image_truncated', `The ${displayName[format]} ends too early: ${where}.`);
}

/** A legal file of a kind that is not decoded here. */
export function unsupported(format: ImageFormat, kind: string): CodedError {
  return new CodedError(
    'image_format_unsupported',
    `This kind of ${displayName[format]} is not supported: ${kind}. Send it as a baseline JPEG or a PNG.`,
  );
}

/** A legal file that would cost more work than its pixels are worth. */
export function tooComplex(format: ImageFormat, problem: string): CodedError {
  return new CodedError(
    'image_too_complex',
    `The ${displayName[format]} is too complex to decode: ${problem}.`,
  );
}
