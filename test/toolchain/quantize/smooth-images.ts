import { createRandom } from './seeded-random.ts';

/** @returns Images of (3, 32, 32): waves under noise, so that convolutions see edges and areas as in photographs. */
export function smoothImages(count: number, seed: number): Float32Array[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => {
    const [fx, fy, phase] = [random.uniform() * 0.6, random.uniform() * 0.6, random.uniform() * 6];
    return Float32Array.from({ length: 3 * 32 * 32 }, (_, i) => {
      const [x, y, channel] = [i % 32, Math.floor(i / 32) % 32, Math.floor(i / 1024)];
      return Math.sin(x * fx + y * fy + phase + channel) * 1.5 + random.normal() * 0.4;
    });
  });
}
