import avifWasm from '@jsquash/avif/codec/dec/avif_dec.wasm';
import libheifWasm from 'libheif-js/libheif-wasm/libheif.wasm';
import dav1dWasm from 'ogv/dist/ogv-decoder-video-av1-wasm.wasm';
import { createAvifDecoder } from '../src/image/codecs/avif/decode-avif.ts';
import avifHooks from '../src/image/codecs/avif/hooks.wasm';
import { createHeicDecoder } from '../src/image/codecs/heic/decode-heic.ts';
import flushHook from '../src/image/codecs/heic/flush-hook.wasm';
import type { ImageOptions } from '../src/image/image-to-crop.ts';

/** Decoders that a deployment may leave out: 1.03 MB gzip, and libheif is under the LGPL-3.0 (docs/images.md). */
export type PhoneFormats = Pick<ImageOptions, 'decodeHeic' | 'decodeAvif'>;

/** HEIC and AVIF. A Worker that does not import this file has neither in its bundle. */
export const phoneFormats = {
  decodeHeic: createHeicDecoder(() => ({ libheif: libheifWasm, flushHook })),
  decodeAvif: createAvifDecoder({
    loadDav1d: () => dav1dWasm,
    loadLibavif: () => ({ libavif: avifWasm, hooks: avifHooks }),
  }),
} satisfies PhoneFormats;
