/**
 * A function of JavaScript as one of WebAssembly: a table of functions takes no other, and workerd compiles none while
 * it runs. It has the type of libheif's `flush_data`: (error, decoder).
 */
export function writeFlushHook(): string {
  return `(module
  (import "hook" "flush" (func $flush (param i32 i32)))
  (export "flush" (func $flush)))`;
}
