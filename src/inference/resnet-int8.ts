import { ByteReader } from '../engine/byte-reader.ts';
import { chooseKernels, type KernelChoice, type KernelModules } from '../engine/choose-kernels.ts';
import { kernelTraits } from '../engine/kernel-layout.ts';
import { loadWeights } from '../engine/load-weights.ts';
import { instantiateKernels } from '../engine/machine.ts';
import { layOutMemory, type MemoryLayout } from '../engine/memory-layout.ts';
import { alignUp, headerBytes, type Plan, parseHeader, parsePlan } from '../engine/plan.ts';
import { buildFeaturePool } from '../engine/pool-features.ts';
import { buildProgram } from '../engine/program.ts';
import type { Step } from '../engine/step.ts';
import { chooseWarmUp } from '../engine/warm-up.ts';
import { CodedError } from '../errors.ts';
import type { Fp32Tensor } from '../lib/tensor.ts';
import type { FeatureLayers, InferenceRuntime, InferenceSession, RunWithFeatures } from './session.ts';

const wasmPageBytes = 65_536;
/** The plan is JSON of some 300 bytes an operator; ResNet-152 has about 160. */
const maxPlanBytes = 1024 * 1024;

/**
 * The int8 engine for ResNets: integer arithmetic from the quantized image to the classifier's sums,
 * so every CPU gives the same bits. A session has a WebAssembly memory of its own, sized by the plan
 * and filled from the stream; weights are never held anywhere else.
 *
 * @param modules the compiled `src/engine/kernels-*.wasm`.
 * @throws {CodedError} `model_unavailable` if kernels are forced that would not be exact here.
 */
export function createResnetInt8(modules: KernelModules, choice: KernelChoice = 'auto'): InferenceRuntime {
  let memoryBytes = 0;
  const { name, module } = chooseKernels(modules, choice);
  const traits = kernelTraits[name];
  return {
    name: 'resnet-int8',
    kernels: name,
    memoryBytes: () => memoryBytes,
    async createSession(chunks, { fileBytes, runtimeMemoryBytes = Number.POSITIVE_INFINITY }, ticket) {
      const reader = new ByteReader(chunks, ticket);
      const planBytes = parseHeader(await reader.read(headerBytes));
      if (planBytes > maxPlanBytes || planBytes > fileBytes) {
        throw new CodedError('model_corrupt', `The model file announces a plan of ${planBytes} bytes.`);
      }
      const plan = parsePlan(await reader.read(planBytes));
      await reader.skip(alignUp(headerBytes + planBytes) - headerBytes - planBytes);
      const layout = layOutMemory(plan, traits);
      // What the budget was asked for; more may not be there.
      if (layout.end > runtimeMemoryBytes) {
        throw new CodedError(
          'model_manifest_invalid',
          `The model needs ${layout.end} bytes of memory, its manifest says ${runtimeMemoryBytes}.`,
          { retryAfterSeconds: 30 },
        );
      }
      const memory = allocate(layout.end);
      memoryBytes += memory.buffer.byteLength;
      let released = false;
      const release = () => {
        if (!released) memoryBytes -= memory.buffer.byteLength;
        released = true;
      };
      ticket.free = release;
      try {
        const machine = { memory, layout, kernels: instantiateKernels(module, memory), traits };
        const steps = buildProgram(plan, machine);
        await loadWeights(plan, machine, reader, chooseWarmUp(plan, steps, machine));
        await reader.end();
        return new ResnetInt8Session(plan, layout, memory, steps, release);
      } catch (error) {
        release();
        throw error;
      } finally {
        delete ticket.free;
      }
    },
  };
}

function allocate(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / wasmPageBytes);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (cause) {
    throw new CodedError('model_out_of_memory', `No room for ${bytes} bytes of linear memory.`, { cause });
  }
}

/** How a block's features are taken from the arena while a run passes it. */
interface FeaturePool {
  /** Index of the step. */
  readonly after: number;
  readonly pool: Step;
  readonly out: Float32Array;
}

class ResnetInt8Session implements InferenceSession {
  readonly inputName: string;
  readonly outputName: string;
  readonly memoryBytes: number;
  readonly #plan: Plan;
  readonly #steps: readonly Step[];
  readonly #image: Float32Array;
  readonly #logits: Float32Array;
  readonly #pools: readonly FeaturePool[];
  #release: (() => void) | undefined;

  constructor(
    plan: Plan,
    layout: MemoryLayout,
    memory: WebAssembly.Memory,
    steps: readonly Step[],
    release: () => void,
  ) {
    this.inputName = plan.input.name;
    this.outputName = plan.output.name;
    this.memoryBytes = memory.buffer.byteLength;
    this.#plan = plan;
    this.#steps = steps;
    this.#image = new Float32Array(memory.buffer, layout.image, 3 * plan.input.height * plan.input.width);
    this.#logits = new Float32Array(memory.buffer, layout.logits, plan.output.classes);
    this.#pools = plan.features.map((feature) => {
      const out = new Float32Array(feature.channels);
      return { after: feature.operator, pool: buildFeaturePool(feature, plan, memory, layout, out), out };
    });
    this.#release = release;
  }

  async run(input: Fp32Tensor): Promise<Fp32Tensor> {
    this.#assertInput(input);
    // No await below this line: the memory belongs to one run at a time.
    this.#image.set(input.data);
    for (const step of this.#steps) step();
    return this.#readOutput();
  }

  async runWithFeatures(input: Fp32Tensor, layers: FeatureLayers): Promise<RunWithFeatures> {
    this.#assertInput(input);
    const pools = layers === 'all' ? this.#pools : this.#pools.slice(-1);
    // No await below this line: the memory belongs to one run at a time.
    this.#image.set(input.data);
    let next = 0;
    for (const [index, step] of this.#steps.entries()) {
      step();
      if (pools[next]?.after === index) pools[next++]!.pool();
    }
    return { output: this.#readOutput(), features: pools.map(({ out }) => out.slice()) };
  }

  #assertInput(input: Fp32Tensor): void {
    if (!this.#release) throw new CodedError('inference_failed', 'The session has been released.');
    const { height, width } = this.#plan.input;
    const expected = [1, 3, height, width];
    for (const [index, size] of expected.entries()) {
      if (input.shape[index] !== size || input.shape.length !== 4) {
        throw new CodedError('inference_failed', `shape must be [${expected}], got: [${input.shape}].`);
      }
    }
  }

  #readOutput(): Fp32Tensor {
    const data = this.#dequantizeLogits(new Float32Array(this.#logits));
    return { datatype: 'FP32', shape: [1, this.#plan.output.classes], data };
  }

  release(): void {
    this.#release?.();
    this.#release = undefined;
  }

  /** Some graphs quantize their logits: round half to even, clamp, scale, in float32 as ONNX Runtime. */
  #dequantizeLogits(logits: Float32Array): Float32Array {
    const last = this.#plan.operators.at(-1);
    if (last?.type !== 'classify' || !last.logits) return logits;
    const { scale, zero_point } = last.logits;
    // Adding 0 turns a negative zero into the positive one that an integer gives.
    return logits.map(
      (value) => Math.min(Math.max(roundHalfToEven(value), -zero_point), 255 - zero_point) * scale + 0,
    );
  }
}

function roundHalfToEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
