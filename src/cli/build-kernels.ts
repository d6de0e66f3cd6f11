import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import createWabt from 'wabt';
import { kernelSetNames } from '../engine/kernel-layout.ts';
import { writeModule } from '../engine/kernels/module.ts';
import { writePixelModule } from '../image/wat/module.ts';

/**
 * `npm run kernels`: assembles the kernels of the engine and of the pixels. The results are committed, because wrangler
 * imports .wasm files; `--check` fails if they are not what the source gives, byte for byte.
 */
async function assemble(name: string, text: string, relaxed: boolean): Promise<Uint8Array> {
  const wabt = await createWabt();
  const module = wabt.parseWat(name, text, { simd: true, bulk_memory: true, relaxed_simd: relaxed });
  module.validate();
  const { buffer } = module.toBinary({ write_debug_names: false });
  module.destroy();
  return buffer;
}

const modules = [
  ...kernelSetNames.map((set) => ({
    file: `src/engine/kernels-${set}.wasm`,
    text: writeModule(set),
    relaxed: set === 'relaxed',
  })),
  { file: 'src/image/pixel-routines.wasm', text: writePixelModule(), relaxed: false },
];
const check = process.argv.includes('--check');
for (const { file, text, relaxed } of modules) {
  const target = fileURLToPath(new URL(`../../${file}`, import.meta.url));
  const bytes = await assemble(file, text, relaxed);
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
