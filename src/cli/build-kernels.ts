import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import createWabt from 'wabt';
import { type KernelSetName, kernelSetNames } from '../engine/kernels/layout.ts';
import { writeModule } from '../engine/kernels/module.ts';

/**
 * `npm run kernels`: assembles the engine's kernel sets. The results are committed, because wrangler
 * imports .wasm files; `--check` fails if they are not what the source gives, byte for byte.
 */
async function assemble(set: KernelSetName): Promise<Uint8Array> {
  const wabt = await createWabt();
  const features = { simd: true, bulk_memory: true, relaxed_simd: set === 'relaxed' };
  const module = wabt.parseWat(`kernels-${set}.wat`, writeModule(set), features);
  module.validate();
  const { buffer } = module.toBinary({ write_debug_names: false });
  module.destroy();
  return buffer;
}

const check = process.argv.includes('--check');
for (const set of kernelSetNames) {
  const file = `src/engine/kernels-${set}.wasm`;
  const target = fileURLToPath(new URL(`../../${file}`, import.meta.url));
  const bytes = await assemble(set);
  if (check) {
    const committed = await readFile(target).catch(() => Buffer.alloc(0));
    if (!committed.equals(bytes)) {
      console.error(`${file} is not what its source gives: npm run kernels`);
      process.exitCode = 1;
    }
  } else {
    await writeFile(target, bytes);
  }
  console.log(`${file}: ${bytes.length} bytes`);
}
