/**
 * The emscripten module that onnxruntime-web 1.30.0 ships, as far as ort-web.ts calls it. This is
 * the package's private C API (js/web/lib/wasm/wasm-types.ts in microsoft/onnxruntime), so the
 * version is pinned exactly in package.json. Pointers and sizes are unsigned 32-bit numbers.
 */
declare module 'onnxruntime-web/ort-wasm-simd-threaded.mjs' {
  export interface OrtModule {
    numThreads: number;
    instantiateWasm(
      imports: WebAssembly.Imports,
      done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => unknown,
    ): unknown;
    printErr?: (line: string) => void;

    _malloc(bytes: number): number;
    _free(pointer: number): void;
    stackSave(): number;
    stackRestore(stack: number): void;
    stackAlloc(bytes: number): number;
    getValue(pointer: number, type: 'i32' | '*'): number;
    setValue(pointer: number, value: number, type: 'i32' | '*'): void;
    UTF8ToString(pointer: number): string;
    stringToUTF8(text: string, pointer: number, maxBytes: number): void;
    lengthBytesUTF8(text: string): number;

    _OrtInit(threads: number, logLevel: number): number;
    _OrtGetLastError(codeOut: number, messageOut: number): void;
    _OrtCreateSessionOptions(
      graphOptimizationLevel: number,
      enableCpuMemArena: boolean,
      enableMemPattern: boolean,
      executionMode: number,
      enableProfiling: boolean,
      profileFilePrefix: number,
      logId: number,
      logSeverityLevel: number,
      logVerbosityLevel: number,
      optimizedModelFilePath: number,
    ): number;
    _OrtAddSessionConfigEntry(options: number, key: number, value: number): number;
    _OrtReleaseSessionOptions(options: number): void;
    _OrtCreateSession(data: number, byteLength: number, options: number): number | Promise<number>;
    _OrtReleaseSession(session: number): void;
    _OrtGetInputOutputCount(session: number, inputsOut: number, outputsOut: number): number;
    _OrtGetInputOutputMetadata(session: number, index: number, nameOut: number, typeOut: number): number;
    _OrtFree(pointer: number): void;
    _OrtCreateTensor(
      datatype: number,
      data: number,
      byteLength: number,
      dims: number,
      dimCount: number,
      location: number,
    ): number;
    _OrtGetTensorData(
      tensor: number,
      typeOut: number,
      dataOut: number,
      dimsOut: number,
      dimCountOut: number,
    ): number;
    _OrtReleaseTensor(tensor: number): void;
    _OrtRun(
      session: number,
      inputNames: number,
      inputs: number,
      inputCount: number,
      outputNames: number,
      outputCount: number,
      outputs: number,
      options: number,
    ): number | Promise<number>;
  }

  export default function factory(module: Partial<OrtModule>): Promise<OrtModule>;
}
