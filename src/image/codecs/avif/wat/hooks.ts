/**
 * Functions of JavaScript as those of WebAssembly: a table of functions takes no others, and workerd compiles none while
 * it runs. They have the types of two of libavif: `getNextImage` (codec, decoder, sample, isAlpha, isLimitedAlpha, image)
 * and `read` (io, flags, offset, size, out).
 */
export function writeHooks(): string {
  return `(module
  (import "hook" "getNextImage" (func $next (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "hook" "read" (func $read (param i32 i32 i64 i32 i32) (result i32)))
  (export "getNextImage" (func $next))
  (export "read" (func $read)))`;
}
