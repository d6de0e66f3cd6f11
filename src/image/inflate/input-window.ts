import type { InflateInput } from './inflate-input.ts';
import { type InflateMemory, stateOf } from './inflate-memory.ts';
import { inputBytes, inputPadBytes, maxHeaderBytes } from './layout.ts';
import { field } from './state-words.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** The compressed bytes that are at hand in an inflater's memory, and the input that they come from. */
export class InputWindow {
  readonly #memory: InflateMemory;
  readonly #input: InflateInput;
  #isFinal = false;

  /** @param memory whose window is empty. */
  constructor(memory: InflateMemory, input: InflateInput) {
    this.#memory = memory;
    this.#input = input;
  }

  /** Whether no input follows what is at hand. */
  get isFinal(): boolean {
    return this.#isFinal;
  }

  /** Takes more where less than any step may need is at hand. */
  replenish(state: Int32Array): void {
    if (!this.#isFinal && state[field.inputEnd]! - state[field.position]! < maxHeaderBytes) this.#fill(state);
  }

  /** The next bytes as they stand, after what `bits` began with; fewer where the input ends. */
  takeBytes(count: number): Uint8Array {
    const state = stateOf(this.#memory);
    returnWholeBytes(state);
    // The rest of a byte means nothing where whole bytes follow.
    state[field.bits] = 0;
    state[field.count] = 0;
    this.replenish(state);
    const end = Math.min(state[field.position]! + count, state[field.inputEnd]!);
    const taken = this.#memory.bytes.slice(state[field.position], end);
    state[field.position] = end;
    return taken;
  }

  /** As much input as there is room for; zeros behind it. */
  #fill(state: Int32Array): void {
    const { bytes, input } = this.#memory;
    returnWholeBytes(state);
    const unread = state[field.inputEnd]! - state[field.position]!;
    bytes.copyWithin(input, state[field.position]!, state[field.inputEnd]);
    const room = inputBytes - unread;
    const filled = this.#input.fill(bytes, input + unread, room);
    const end = input + unread + filled;
    this.#isFinal = filled < room;
    bytes.fill(0, end, end + inputPadBytes);
    state[field.position] = input;
    state[field.inputEnd] = end;
    state[field.isFinal] = Number(this.#isFinal);
  }
}

/** Gives back the bytes that were fetched and not used, for some of them may have to be read as they stand. */
function returnWholeBytes(state: Int32Array): void {
  const bits = state[field.count]! & 7;
  state[field.position]! -= state[field.count]! >> 3;
  state[field.count] = bits;
  state[field.bits]! &= (1 << bits) - 1;
  state[field.bits + 1] = 0;
}
