import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createAvifDecoder } from './codecs/avif/decode-avif.ts';
import { createHeicDecoder } from './codecs/heic/decode-heic.ts';
import type { ImageOptions } from './image-to-crop.ts';
import { PixelRoutines } from './pixel-arena.ts';

const { resolve } = createRequire(import.meta.url);
const modules = new Map<string, Promise<WebAssembly.Module>>();

/** Compiled when the first image needs it. */
function loadModule(path: string): Promise<WebAssembly.Module> {
  const module =
    modules.get(path) ?? readFile(path).then((bytes) => WebAssembly.compile(new Uint8Array(bytes)));
  modules.set(path, module);
  return module;
}

const own = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Every decoder of the edge, in Node: the same WebAssembly, compiled from its files.
 *
 * @param maxHeicHeapBytes what libheif may take; default: what it may at the edge.
 */
export function openDecoders(
  maxHeicHeapBytes?: number,
): Required<Pick<ImageOptions, 'routines' | 'loadWebpModule' | 'decodeHeic' | 'decodeAvif'>> {
  return {
    routines: new PixelRoutines(new WebAssembly.Module(readFileSync(own('pixel-routines.wasm')))),
    loadWebpModule: () => loadModule(resolve('@jsquash/webp/codec/dec/webp_dec.wasm')),
    decodeAvif: createAvifDecoder({
      loadDav1d: () => loadModule(resolve('ogv/dist/ogv-decoder-video-av1-wasm.wasm')),
      loadLibavif: async () => ({
        libavif: await loadModule(resolve('@jsquash/avif/codec/dec/avif_dec.wasm')),
        hooks: await loadModule(own('codecs/avif/hooks.wasm')),
      }),
    }),
    decodeHeic: createHeicDecoder(
      async () => ({
        libheif: await loadModule(resolve('libheif-js/libheif-wasm/libheif.wasm')),
        flushHook: await loadModule(own('codecs/heic/flush-hook.wasm')),
      }),
      maxHeicHeapBytes,
    ),
  };
}
