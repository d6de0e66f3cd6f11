import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import createWabt from 'wabt';
import { chooseKernels, isRelaxedDotExact, parseKernelChoice } from '../../src/engine/choose-kernels.ts';

const compileSet = async (set: 'plain' | 'relaxed') =>
  await WebAssembly.compile(await readFile(new URL(`../../src/engine/kernels-${set}.wasm`, import.meta.url)));
const plain = await compileSet('plain');

/** Modules whose `probe_dot` is what WebAssembly lets other CPUs make of the instruction. */
async function compileProbe(product: string): Promise<WebAssembly.Module> {
  const wabt = await createWabt();
  const { buffer } = wabt
    .parseWat(
      'probe.wat',
      `(module (import "env" "memory" (memory 1)) (func (export "probe_dot") (param $w i32) (param $x i32) (param $a i32)
        (local $i i32) (local $j i32) (local $sum i32) (local $pair i32)
        (loop $lane
          (local.set $sum (i32.const 0)) (local.set $j (i32.const 0))
          (loop $half ${product}
            (local.set $sum (i32.add (local.get $sum) (local.get $pair)))
            (local.set $w (i32.add (local.get $w) (i32.const 2))) (local.set $x (i32.add (local.get $x) (i32.const 2)))
            (br_if $half (i32.lt_s (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 2))))
          (i32.store (local.get $a) (i32.add (i32.load (local.get $a)) (local.get $sum)))
          (local.set $a (i32.add (local.get $a) (i32.const 4)))
          (br_if $lane (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4))))))`,
    )
    .toBinary({});
  return await WebAssembly.compile(new Uint8Array(buffer));
}
const pair = (load: 'load8_s' | 'load8_u') =>
  `(local.set $pair (i32.add
    (i32.mul (i32.load8_s (local.get $w)) (i32.${load} (local.get $x)))
    (i32.mul (i32.load8_s offset=1 (local.get $w)) (i32.${load} offset=1 (local.get $x)))))`;
const saturate = `
  (if (i32.gt_s (local.get $pair) (i32.const 32767)) (then (local.set $pair (i32.const 32767))))
  (if (i32.lt_s (local.get $pair) (i32.const -32768)) (then (local.set $pair (i32.const -32768))))`;

describe('the exactness probe', () => {
  it('takes an instruction that multiplies U8 by S8 and adds in 32 bits', async () => {
    expect(isRelaxedDotExact(await compileProbe(pair('load8_u')))).toBe(true);
  });
  it.each([
    ['saturates sums of two products, as x64 without VNNI', pair('load8_u') + saturate],
    ['reads inputs as signed, as ARM', pair('load8_s')],
  ])('refuses one that %s', async (_, product) => {
    const relaxed = await compileProbe(product);
    expect(isRelaxedDotExact(relaxed)).toBe(false);
    expect(chooseKernels({ plain, relaxed }, 'auto').name).toBe('plain');
    expect(() => chooseKernels({ plain, relaxed }, 'relaxed')).toThrow('not exact');
  });
});

describe('the choice of kernels', () => {
  it('is plain where the engine cannot compile relaxed SIMD, and says so if it is forced', () => {
    expect(chooseKernels({ plain }, 'auto').name).toBe('plain');
    expect(() => chooseKernels({ plain }, 'relaxed')).toThrow(
      expect.objectContaining({ code: 'model_unavailable' }),
    );
  });
  it('can be forced to plain where relaxed would be exact', async () => {
    const relaxed = await compileProbe(pair('load8_u'));
    expect(chooseKernels({ plain, relaxed }, 'auto').name).toBe('relaxed');
    expect(chooseKernels({ plain, relaxed }, 'plain').name).toBe('plain');
  });
  it('refuses a word it does not know', () => {
    expect(parseKernelChoice(undefined)).toBe('auto');
    expect(() => parseKernelChoice('fast')).toThrow('ENGINE_KERNELS');
  });
});
