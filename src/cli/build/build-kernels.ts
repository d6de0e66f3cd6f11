import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import createWabt from 'wabt';
import { kernelSetNames } from '../../engine/kernel-layout.ts';
import { writeModule } from '../../engine/kernels/module.ts';
import { writeHooks } from '../../image/codecs/avif/wat/hooks.ts';
import { writeFlushHook } from '../../image/codecs/heic/wat/flush-hook.ts';
import { writePixelModule } from '../../image/wat/module.ts';
import { writeMatrixModule } from '../../learn/matrix/wat/module.ts';
import { defineCommand } from '../command-line/command.ts';
import { projectRoot } from '../paths.ts';

const modules = [
  ...kernelSetNames.map((set) => ({
    file: `src/engine/kernels-${set}.wasm`,
    text: () => writeModule(set),
    relaxed: set === 'relaxed',
  })),
  { file: 'src/image/pixel-routines.wasm', text: writePixelModule, relaxed: false },
  { file: 'src/learn/matrix/matrix-routines.wasm', text: writeMatrixModule, relaxed: false },
  { file: 'src/image/codecs/heic/flush-hook.wasm', text: writeFlushHook, relaxed: false },
  { file: 'src/image/codecs/avif/hooks.wasm', text: writeHooks, relaxed: false },
];

/**
 * `npm run kernels`: assembles the kernels of the engine, and the routines of pixels and of learning. The results are committed, because wrangler
 * imports .wasm files.
 */
export const buildKernels = defineCommand({
  usage: `Usage: npm run kernels -- [--check]

Writes the .wasm files that are committed.

  --check  write nothing; fail if a committed file is not what its source gives, byte for byte`,
  options: { check: { type: 'boolean', default: false } },
  operands: { min: 0, max: 0 },
  async run({ check }) {
    let status = 0;
    for (const { file, text, relaxed } of modules) {
      const target = join(projectRoot, file);
      const bytes = await assemble(file, text(), relaxed);
      if (!check) {
        await writeFile(target, bytes);
      } else if (!(await readFile(target).catch(() => Buffer.alloc(0))).equals(bytes)) {
        console.error(`${file} is not what its source gives: npm run kernels`);
        status = 1;
      }
      console.log(`${file}: ${bytes.length} bytes`);
    }
    return status;
  },
});

async function assemble(name: string, text: string, relaxed: boolean): Promise<Uint8Array> {
  const wabt = await createWabt();
  const module = wabt.parseWat(name, text, { simd: true, bulk_memory: true, relaxed_simd: relaxed });
  module.validate();
  const { buffer } = module.toBinary({ write_debug_names: false });
  module.destroy();
  return buffer;
}
