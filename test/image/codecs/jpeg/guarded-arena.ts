import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { allocatedBytes, PixelArena } from '../../../../src/image/pixel-arena.ts';

const kernelFile = new URL('../../../../src/image/pixel-routines.wasm', import.meta.url);
const kernelModule = new WebAssembly.Module(readFileSync(kernelFile));

/** More than any loop overshoots by at once. */
const guardBytes = 4096;
const guard = 0xa5;
/** What an arena may round a reservation up by. */
const roundingBytes = 512;

/** An arena with guards between its pieces, which nobody may write; it knows how much of a reservation was used. */
export class GuardedArena extends PixelArena {
  #guards: number[] = [];
  #reserved = 0;
  #allocated = 0;

  constructor() {
    super(kernelModule);
  }

  /** Ready for the next image. */
  restart(): this {
    this.start(() => {});
    this.bytes.fill(guard);
    this.#guards = [];
    this.#reserved = 0;
    this.#allocated = 0;
    this.#placeGuard();
    return this;
  }

  override reserve(bytes: number): void {
    const maxPieces = 200;
    super.reserve(bytes + maxPieces * guardBytes);
    this.#reserved += bytes;
  }

  override allocate(bytes: number): number {
    this.#allocated += allocatedBytes(bytes);
    const address = super.allocate(bytes);
    this.#placeGuard();
    return address;
  }

  /** Fails if a guard was written, or if more was allocated than had been reserved. */
  expectIntact(): void {
    const written = this.#guards.filter((address) =>
      this.bytes.subarray(address, address + guardBytes).some((byte) => byte !== guard),
    );
    expect(written).toEqual([]);
    expect(this.#allocated).toBeLessThanOrEqual(this.#reserved + roundingBytes);
  }

  #placeGuard(): void {
    const address = super.allocate(guardBytes);
    this.bytes.fill(guard, address, address + guardBytes);
    this.#guards.push(address);
  }
}
