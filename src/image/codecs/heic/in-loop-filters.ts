import type { LibheifModule } from './libheif-module.ts';

const compressionHevc = 1;
/** Index of `flush_data` among the words of heif_decoder_plugin (heif_plugin.h). */
const flushWord = 16;
/** libde265 keeps its parameters near the start of its context: they are at byte 532. */
const searchedBytes = 4096;

/**
 * Builds of libheif for JavaScript tell their HEVC decoder to leave out deblocking and sample adaptive offset, to save
 * time. Both are a part of the standard: without them blocks show, and pixels are off by up to some 15. This takes the
 * order back in each decoder, between its making and its first picture, where libheif calls `flush_data`.
 *
 * @param hook the compiled flush-hook.wasm.
 */
export function restoreInLoopFilters(
  module: LibheifModule,
  instance: WebAssembly.Instance,
  hook: WebAssembly.Module,
): void {
  const table = Object.values(instance.exports).find((value) => value instanceof WebAssembly.Table);
  const list = module._malloc(4);
  if (!table || module._heif_get_decoder_descriptors(compressionHevc, list, 1) !== 1) return;
  const view = () => new DataView(module.HEAPU8.buffer);
  // A descriptor is the plugin itself.
  const entry = view().getUint32(list, true) + 4 * flushWord;
  const slot = view().getUint32(entry, true);
  const original = table.get(slot) as (error: number, decoder: number) => void;
  const flush = (error: number, decoder: number) => {
    clearDisabled(module.HEAPU8, view().getUint32(decoder, true));
    original(error, decoder);
  };
  table.set(slot, new WebAssembly.Instance(hook, { hook: { flush } }).exports['flush']);
}

/**
 * Clears `param_disable_deblocking` and `param_disable_sao` (libde265's decctx.h): two bytes that are 1, behind four
 * file descriptors that are -1.
 */
function clearDisabled(heap: Uint8Array, context: number): void {
  for (let at = context; at < context + searchedBytes; at += 4) {
    if (heap[at + 16] !== 1 || heap[at + 17] !== 1) continue;
    if (!heap.subarray(at, at + 16).every((byte) => byte === 255)) continue;
    heap.fill(0, at + 16, at + 18);
    return;
  }
}
