/** wrangler imports a .wasm file as a compiled module: workerd compiles none from bytes. */
declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
