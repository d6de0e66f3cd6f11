import { toHex } from '../lib/hex.ts';
import type { Sha256 } from './verified-chunks.ts';

/** SHA-256 by the Workers runtime's DigestStream: native, and nothing is buffered. */
export function createWorkersSha256(): Sha256 {
  const stream = new crypto.DigestStream('SHA-256');
  const writer = stream.getWriter();
  // A digest that nobody awaits (a load that fails half-way) must not become an unhandled rejection.
  stream.digest.catch(() => undefined);
  return {
    update: (chunk) => writer.write(chunk),
    async digest() {
      await writer.close();
      return toHex(new Uint8Array(await stream.digest));
    },
  };
}
