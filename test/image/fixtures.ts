import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createAvifDecoder } from '../../src/image/codecs/avif/decode-avif.ts';
import type { AvifModules } from '../../src/image/codecs/avif/libavif.ts';
import { createHeicDecoder } from '../../src/image/codecs/heic/decode-heic.ts';
import type { HeicModules } from '../../src/image/codecs/heic/libheif.ts';
import { PixelRoutines } from '../../src/image/pixel-arena.ts';
import type { PreprocessSpec } from '../../src/image/preprocess-spec.ts';

export { defaultSpec } from './default-spec.ts';

/** Made by test/fixtures/make-fixtures.py, which says how and from what. */
const folder = new URL('../fixtures/', import.meta.url);
const require = createRequire(import.meta.url);

export interface Goldens {
  readonly recipes: readonly Pick<PreprocessSpec, 'interpolation' | 'resizeShortestEdge' | 'centerCrop'>[];
  /** By file name, upright size and one digest a recipe, of the crop's RGB bytes. */
  readonly files: Readonly<Record<string, { width: number; height: number; sha256: readonly string[] }>>;
}

/** Made by test/fixtures/make-edge-cases.py, likewise. */
interface EdgeCases extends Goldens {
  readonly files: Readonly<Record<string, Goldens['files'][string] & { stored_sha256: string }>>;
  /** By file name, lengths to cut it at, and those of them at which Pillow still shows the image. */
  readonly cuts: Readonly<Record<string, { lengths: readonly number[]; shown: readonly number[] }>>;
}

export const edgeCases = JSON.parse(readFileSync(new URL('edge-cases.json', folder), 'utf8')) as EdgeCases;

export function readEdgeCase(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`edge-cases/${name}`, folder)));
}

export function readPngCase(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(`png-cases/${name}`, folder)));
}

export const goldens = JSON.parse(readFileSync(new URL('goldens.json', folder), 'utf8')) as Goldens;

/** A plain Uint8Array: what a request body is. */
export function readFixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`images/${name}`, folder)));
}

const kernelFile = new URL('../../src/image/pixel-routines.wasm', import.meta.url);
const kernelModule = new WebAssembly.Module(readFileSync(kernelFile));

/** As each isolate has them. */
export function createRoutines(): PixelRoutines {
  return new PixelRoutines(kernelModule);
}

/** The two ways to the same bytes. */
export const pixelWays = [
  { way: 'plain TypeScript', routines: undefined },
  { way: 'routines', routines: createRoutines() },
] as const;

let webpModule: Promise<WebAssembly.Module> | undefined;

/** libwebp as Node can load it; the Worker imports the same file as a compiled module. */
export function loadWebpModule(): Promise<WebAssembly.Module> {
  webpModule ??= WebAssembly.compile(readFileSync(require.resolve('@jsquash/webp/codec/dec/webp_dec.wasm')));
  return webpModule;
}

function compile(path: string): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(path));
}

let heicModules: HeicModules | undefined;
/** libheif as Node can load it. */
export const decodeHeic = createHeicDecoder(loadHeicModules);

export function loadHeicModules(): HeicModules {
  heicModules ??= {
    libheif: compile(require.resolve('libheif-js/libheif-wasm/libheif.wasm')),
    flushHook: compile(
      fileURLToPath(new URL('../../src/image/codecs/heic/flush-hook.wasm', import.meta.url)),
    ),
  };
  return heicModules;
}

let avifModules: AvifModules | undefined;
/** dav1d and libavif as Node can load them. */
export const decodeAvif = createAvifDecoder({ loadDav1d, loadLibavif: loadAvifModules });

let dav1dModule: WebAssembly.Module | undefined;

export function loadDav1d(): WebAssembly.Module {
  dav1dModule ??= compile(require.resolve('ogv/dist/ogv-decoder-video-av1-wasm.wasm'));
  return dav1dModule;
}

export function loadAvifModules(): AvifModules {
  avifModules ??= {
    libavif: compile(require.resolve('@jsquash/avif/codec/dec/avif_dec.wasm')),
    hooks: compile(fileURLToPath(new URL('../../src/image/codecs/avif/hooks.wasm', import.meta.url))),
  };
  return avifModules;
}
