import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import createWabt from 'wabt';
import { writeModule } from '../engine/kernels/module.ts';

/**
 * `npm run kernels`: assembles the engine's kernels. The result is committed, because wrangler imports
 * a .wasm file; `--check` fails if it is not what the source gives, byte for byte.
 */
const target = fileURLToPath(new URL('../engine/kernels.wasm', import.meta.url));

export async function assembleKernels(): Promise<Uint8Array> {
  const wabt = await createWabt();
  const module = wabt.parseWat('kernels.wat', writeModule(), { simd: true, bulk_memory: true });
  module.validate();
  const { buffer } = module.toBinary({ write_debug_names: false });
  module.destroy();
  return buffer;
}

const bytes = await assembleKernels();
if (process.argv.includes('--check')) {
  const committed = await readFile(target).catch(() => Buffer.alloc(0));
  if (!committed.equals(bytes)) {
    console.error('src/engine/kernels.wasm is not what its source gives: npm run kernels');
    process.exit(1);
  }
} else {
  await writeFile(target, bytes);
}
console.log(`src/engine/kernels.wasm: ${bytes.length} bytes`);
