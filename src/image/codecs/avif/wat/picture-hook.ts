/**
 * A function of JavaScript as one of WebAssembly: a table of functions takes no other, and workerd compiles none while
 * it runs. It has the type of libavif's `getNextImage`: (codec, decoder, sample, isAlpha, isLimitedAlpha, image).
 */
export function writePictureHook(): string {
  return `(module
  (import "hook" "getNextImage" (func $next (param i32 i32 i32 i32 i32 i32) (result i32)))
  (export "getNextImage" (func $next)))`;
}
