import type { R2Bucket } from '@cloudflare/workers-types';
import { packBytes } from '../../limits.ts';
import { type InputReference, packKey } from './batch.ts';
import type { RawInput } from './batch-inputs.ts';

/**
 * Stores images that came with a request in R2, many in one object. Ten thousand thumbnails then take a few writes. An
 * image is read back by its range.
 */
export class ImagePacker {
  readonly #bucket: R2Bucket;
  readonly #batchId: string;
  #pack = 0;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  constructor(bucket: R2Bucket, batchId: string) {
    this.#bucket = bucket;
    this.#batchId = batchId;
  }

  /** @returns where the image will be after `flush`; a reference is returned unchanged. */
  async add(input: RawInput): Promise<InputReference> {
    if (!('bytes' in input)) return input;
    const { bytes, name } = input;
    if (this.#pendingBytes > 0 && this.#pendingBytes + bytes.byteLength > packBytes) await this.flush();
    const reference = {
      pack: this.#pack,
      offset: this.#pendingBytes,
      bytes: bytes.byteLength,
      ...(name !== undefined && { name }),
    };
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.byteLength;
    return reference;
  }

  /** Stores what is pending. */
  async flush(): Promise<void> {
    if (this.#pendingBytes === 0) return;
    const whole = new Uint8Array(this.#pendingBytes);
    let offset = 0;
    for (const bytes of this.#pending) {
      whole.set(bytes, offset);
      offset += bytes.byteLength;
    }
    await this.#bucket.put(packKey(this.#batchId, this.#pack), whole);
    this.#pack++;
    this.#pending = [];
    this.#pendingBytes = 0;
  }
}
