import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { ImageOptions } from '../../image/image-to-crop.ts';
import { PixelRoutines } from '../../image/pixel-arena.ts';

let options: Promise<ImageOptions> | undefined;

/** What decodes images in this process: every format of the edge, by the same WebAssembly. */
export function readImageOptions(): Promise<ImageOptions> {
  options ??= createImageOptions();
  return options;
}

async function createImageOptions(): Promise<ImageOptions> {
  const compile = async (path: string | URL) => await WebAssembly.compile(await readFile(path));
  const webpPath = createRequire(import.meta.url).resolve('@jsquash/webp/codec/dec/webp_dec.wasm');
  let webpModule: Promise<WebAssembly.Module> | undefined;
  return {
    routines: new PixelRoutines(await compile(new URL('../../image/pixel-routines.wasm', import.meta.url))),
    loadWebpModule() {
      webpModule ??= compile(webpPath);
      return webpModule;
    },
  };
}
