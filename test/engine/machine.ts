import { readFileSync } from 'node:fs';
import type { TestContext } from 'vitest';
import { ByteReader } from '../../src/engine/byte-reader.ts';
import { chooseKernels, isRelaxedDotExact } from '../../src/engine/choose-kernels.ts';
import { locate, storedZero } from '../../src/engine/conv-descriptor.ts';
import { type KernelSetName, kernelTraits } from '../../src/engine/kernel-layout.ts';
import { loadWeights } from '../../src/engine/load-weights.ts';
import { instantiateKernels, type Machine } from '../../src/engine/machine.ts';
import { layOutMemory } from '../../src/engine/memory-layout.ts';
import type { Plan } from '../../src/engine/plan.ts';
import { buildProgram } from '../../src/engine/program.ts';
import type { Step } from '../../src/engine/step.ts';

const compileSet = (set: KernelSetName) =>
  new WebAssembly.Module(readFileSync(new URL(`../../src/engine/kernels-${set}.wasm`, import.meta.url)));
const modules = { plain: compileSet('plain'), relaxed: compileSet('relaxed') };

/** The kernel sets that are exact on this CPU: the plain one everywhere. */
export const runnableSets: readonly KernelSetName[] = isRelaxedDotExact(modules.relaxed)
  ? ['plain', 'relaxed']
  : ['plain'];

/** Weights of at most this cannot saturate a sum of two products with 255 at 16 bits. */
export const largestSafeWeight = 63;

/**
 * Whether the relaxed set is exact on small weights: x64 without AVX-VNNI saturates, and does nothing else wrong. So its
 * kernels can be tested there too.
 */
export function runsRelaxedOnSmallWeights(): boolean {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const { probe_dot: probe } = instantiateKernels(modules.relaxed, memory);
  new Int8Array(memory.buffer, 0, 16).fill(-largestSafeWeight);
  new Uint8Array(memory.buffer, 16, 16).fill(255);
  probe?.(0, 16, 32);
  return new Int32Array(memory.buffer, 32, 4).every((sum) => sum === -4 * 255 * largestSafeWeight);
}

/** A test of a kernel set that this CPU does not run exactly is reported as skipped, never as passed. */
export function skipUnlessRunnable(ctx: TestContext, set: KernelSetName): void {
  ctx.skip(!runnableSets.includes(set), `the ${set} kernels are not exact on this CPU`);
}

/** A plan in memory, to be run operator by operator and looked into. */
export interface OpenMachine extends Machine {
  readonly plan: Plan;
  readonly steps: readonly Step[];
}

/**
 * @param weights the file's weights: parts, each at a multiple of 64.
 * @param options.isChecked whether a set that is not exact here is refused; default: yes.
 */
export async function openPlan(
  plan: Plan,
  weights: Uint8Array,
  set: KernelSetName,
  { isChecked = true } = {},
): Promise<OpenMachine> {
  const traits = kernelTraits[set];
  const layout = layOutMemory(plan, traits);
  const pages = Math.ceil(layout.end / 65_536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const module = isChecked ? chooseKernels(modules, set).module : modules[set];
  const machine = { memory, layout, kernels: instantiateKernels(module, memory), traits };
  // What was in memory before must not matter.
  new Uint8Array(memory.buffer, layout.arena, layout.end - layout.arena).fill(0xa5);
  async function* chunks() {
    yield weights;
  }
  await loadWeights(plan, machine, new ByteReader(chunks(), { abandoned: false }));
  return { ...machine, plan, steps: buildProgram(plan, machine) };
}

type Visit = (index: number, address: number) => void;

function visit({ plan, layout }: OpenMachine, id: number, channels: number, each: Visit): void {
  const tensor = plan.tensors[id]!;
  const { interior, rowBytes, pixelBytes } = locate(tensor, layout);
  for (let y = 0, index = 0; y < tensor.height; y++) {
    for (let x = 0; x < tensor.width; x++) {
      for (let channel = 0; channel < channels; channel++, index++)
        each(index, interior + y * rowBytes + x * pixelBytes + channel * layout.elementBytes);
    }
  }
}

/** @returns a tensor's quantized values, HWC, without border or padded channels. */
export function readTensor(machine: OpenMachine, id: number, channels: number): Uint8Array {
  const { plan, layout, memory } = machine;
  const { height, width, zero_point } = plan.tensors[id]!;
  const view = new DataView(memory.buffer);
  const values = new Uint8Array(height * width * channels);
  visit(machine, id, channels, (index, address) => {
    const stored = layout.elementBytes === 1 ? view.getUint8(address) : view.getInt16(address, true);
    const value = stored - storedZero(zero_point, layout) + zero_point;
    if (value < 0 || value > 255) throw new RangeError(`${value} is no U8`);
    values[index] = value;
  });
  return values;
}

/** Writes quantized values, HWC; border and padded channels get the zero point, as a kernel would leave them. */
export function writeTensor(
  machine: OpenMachine,
  id: number,
  channels: number,
  values: ArrayLike<number>,
): void {
  const { plan, layout, memory } = machine;
  const tensor = plan.tensors[id]!;
  const view = new DataView(memory.buffer);
  const put = (address: number, value: number) => {
    const stored = value - tensor.zero_point + storedZero(tensor.zero_point, layout);
    if (layout.elementBytes === 1) view.setUint8(address, stored);
    else view.setInt16(address, stored, true);
  };
  const { start, rowBytes } = locate(tensor, layout);
  const end = start + rowBytes * (tensor.height + tensor.pad.top + tensor.pad.bottom);
  for (let address = start; address < end; address += layout.elementBytes) put(address, tensor.zero_point);
  visit(machine, id, channels, (index, address) => put(address, values[index]!));
}
