/** Offsets in avifDecoder of libavif 1.0.1, wasm32, in words, and what `avifDecoderCreate` writes there. */
const defaults = [
  { at: 7, value: 16_384 * 16_384 },
  { at: 8, value: 32_768 },
  { at: 9, value: 12 * 3600 * 60 },
  { at: 10, value: 7 },
] as const;
const flagsAt = 10;
const ioAt = 100;

/** AVIF_STRICT_ALPHA_ISPE_REQUIRED: what Pillow leaves of the flags. */
const alphaSizeRequired = 4;

/** libavif makes the decoder and then its reader: in a fresh heap they are neighbours. */
const searchedWords = 16_384;

/**
 * Has a decoder take files without `pixi`, which libheif wrote up to 1.11, and with apertures that are none: Pillow shows
 * them. The flags are those of a decoder that libavif has just made.
 *
 * @param reader address of the decoder's avifIO, by which it is found.
 * @returns whether it was found.
 * @see Pillow _avif.c, `AvifDecoderNew`
 */
export function relaxStrictness(memory: WebAssembly.Memory, reader: number): boolean {
  const words = new Uint32Array(memory.buffer);
  const end = reader >>> 2;
  for (let decoder = end - ioAt; decoder > Math.max(0, end - searchedWords); decoder--) {
    if (words[decoder + ioAt] !== reader) continue;
    if (!defaults.every(({ at, value }) => words[decoder + at] === value)) continue;
    words[decoder + flagsAt] = alphaSizeRequired;
    return true;
  }
  return false;
}
