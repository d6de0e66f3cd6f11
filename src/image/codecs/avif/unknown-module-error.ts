/** A file of which the offsets and names here are taken. */
const builds = {
  libavif: 'avif_dec.wasm is not that of @jsquash/avif 2.1.1',
  dav1d: 'ogv-decoder-video-av1-wasm.wasm is not that of ogv 1.8.9',
} as const;

/** The WebAssembly is of another build than that which the code here is made for: no file can cause it. */
export class UnknownModuleError extends Error {
  override readonly name = 'UnknownModuleError';

  constructor(build: keyof typeof builds, difference: string, options?: ErrorOptions) {
    super(`${builds[build]}: ${difference}.`, options);
  }
}
