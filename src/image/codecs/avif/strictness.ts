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

/** libavif makes the decoder and then its reader: they are mostly neighbours. */
const nearWords = 16_384;

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
  const near = Math.max(0, (reader >>> 2) - nearWords);
  for (const [from, end] of [
    [near, words.length],
    [0, near],
  ] as const) {
    for (let at = words.indexOf(reader, from); at !== -1 && at < end; at = words.indexOf(reader, at + 1)) {
      const decoder = at - ioAt;
      if (!defaults.every((known) => words[decoder + known.at] === known.value)) continue;
      words[decoder + flagsAt] = alphaSizeRequired;
      return true;
    }
  }
  return false;
}
