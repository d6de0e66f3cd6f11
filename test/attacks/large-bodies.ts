import { type Attack, holdConnection, keepBusy, keys, type Target, toHead } from './attack.ts';

const mebibyte = 1024 * 1024;

/** A body of which all has come but its end, held until the target gives it up. */
const holdNearlyAll = (target: Target, bytes: number) =>
  holdConnection(
    target,
    toHead('/v1/classify', {
      authorization: `Bearer ${keys.attacker}`,
      'content-type': 'image/jpeg',
      'content-length': `${bytes}`,
    }),
    undefined,
    new Uint8Array(bytes - 1000),
  );

/** One caller who takes all bytes that an isolate has for large bodies, and does not give them back. */
export const largeBodies: readonly Attack[] = [
  {
    name: '8 bodies of 5 MiB whose end does not come',
    isAgainstLargePhotos: true,
    run: (target) => keepBusy(target, 8, () => holdNearlyAll(target, 5 * mebibyte)),
  },
  {
    name: '4 bodies of 11 MiB whose end does not come',
    isAgainstLargePhotos: true,
    run: (target) => keepBusy(target, 4, () => holdNearlyAll(target, 11 * mebibyte)),
  },
];
