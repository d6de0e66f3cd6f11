import { panelChannels, shortStep } from '../../engine/kernel-layout.ts';
import { alignUp, type PlanPart } from '../../engine/plan.ts';

/** Collects constants in the order of the file. */
export class WeightPacker {
  readonly #chunks: Uint8Array[] = [];
  readonly parts: PlanPart[] = [];

  /** @returns index of the part. */
  add(data: Int8Array | Int32Array | Float32Array): number {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.#chunks.push(bytes);
    return this.parts.push({ bytes: bytes.length }) - 1;
  }

  /** @returns the file's weights: every part at a multiple of 64 bytes. */
  toBytes(): Uint8Array {
    const total = this.#chunks.reduce((sum, chunk) => sum + alignUp(chunk.length), 0);
    const joined = new Uint8Array(total);
    let offset = 0;
    for (const chunk of this.#chunks) {
      joined.set(chunk, offset);
      offset += alignUp(chunk.length);
    }
    return joined;
  }
}

export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

/**
 * Packs weights OIHW into panels [outputs / 8][kernel row][segment / 2][8][2], which the inner loop reads contiguously. A
 * segment is a kernel row of physical channels, padded with zeros.
 *
 * @param channels physical channels of the input.
 */
export function packPanels(
  weights: Int8Array,
  [outputs, inputs, height, width]: readonly [number, number, number, number],
  channels: number,
): Int8Array {
  const segment = roundUp(width * channels, shortStep);
  const panels = Math.ceil(outputs / panelChannels);
  const packed = new Int8Array(panels * panelChannels * height * segment);
  for (let output = 0; output < outputs; output++) {
    const panel = Math.floor(output / panelChannels);
    const lane = output % panelChannels;
    for (let input = 0; input < inputs; input++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const element = x * channels + input;
          const pairBase = ((panel * height + y) * segment) / 2 + (element >> 1);
          packed[(pairBase * panelChannels + lane) * 2 + (element & 1)] =
            weights[((output * inputs + input) * height + y) * width + x]!;
        }
      }
    }
  }
  return packed;
}

/** Weights of a grouped convolution: a panel has only the input channels of its own groups. */
export interface GroupedPanels {
  readonly panels: Int8Array;
  /** First input channel of each panel. */
  readonly offsets: Int32Array;
  /** Input channels of a panel, a multiple of 8. */
  readonly length: number;
}

/**
 * Packs weights OIHW of a grouped convolution into panels [outputs / 8][kernel row][kernel column][length / 2][8][2]. If a
 * panel's eight channels are in several groups, each channel's weights for the inputs of other groups are 0.
 *
 * @param channels physical channels of the input.
 */
export function packGroupedPanels(
  weights: Int8Array,
  [outputs, inputs, height, width]: readonly [number, number, number, number],
  groups: number,
  channels: number,
): GroupedPanels {
  const outputsOfGroup = outputs / groups;
  const panels = Math.ceil(outputs / panelChannels);
  const groupOf = (output: number) => Math.floor(Math.min(output, outputs - 1) / outputsOfGroup);
  const runs = Array.from({ length: panels }, (_, panel) => {
    const first = groupOf(panel * panelChannels);
    const last = groupOf(panel * panelChannels + panelChannels - 1);
    return { start: first * inputs, length: (last + 1 - first) * inputs };
  });
  const length = roundUp(Math.max(...runs.map((run) => run.length)), shortStep);
  // A run must not reach over the pixel's end.
  const offsets = Int32Array.from(runs, ({ start }) => Math.max(0, Math.min(start, channels - length)));
  const places = height * width;
  const packed = new Int8Array(panels * panelChannels * places * length);
  for (let output = 0; output < outputs; output++) {
    const panel = Math.floor(output / panelChannels);
    const lane = output % panelChannels;
    const firstElement = groupOf(output) * inputs - offsets[panel]!;
    for (let input = 0; input < inputs; input++) {
      for (let place = 0; place < places; place++) {
        const element = firstElement + input;
        const pairBase = ((panel * places + place) * length) / 2 + (element >> 1);
        packed[(pairBase * panelChannels + lane) * 2 + (element & 1)] =
          weights[(output * inputs + input) * places + place]!;
      }
    }
  }
  return { panels: packed, offsets, length };
}

/** @returns `values` with zeros behind, up to a whole number of panels. */
export function padToPanels<T extends Int32Array | Float32Array>(values: T): T {
  const padded = new (values.constructor as { new (length: number): T })(
    roundUp(values.length, panelChannels),
  );
  padded.set(values);
  return padded;
}
