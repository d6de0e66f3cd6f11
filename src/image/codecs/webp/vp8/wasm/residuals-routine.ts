import type { PixelArena } from '../../../../pixel-arena.ts';
import { probabilitiesPerBand, probabilitiesPerType } from '../coefficient-probabilities.ts';
import type { FrameHeader } from '../frame-header.ts';
import type { MacroblockModes } from '../modes.ts';
import {
  blockContent,
  blocksPerMacroblock,
  clearFlags,
  coefficientsPerBlock,
  flagsPerMacroblock,
  type Residuals,
} from '../residuals.ts';
import { bandOffsets, categoryBits, zigzag } from '../tokens.ts';
import {
  categoryBytes,
  positionBytes,
  quantizerBytes,
  quantizerLayout,
  tokenTables,
  tokenTablesBytes,
  typeBytes,
} from './layout.ts';
import { PartitionWindow } from './partition-window.ts';

const blockBytes = 2 * coefficientsPerBlock;

/**
 * `Residuals` by WebAssembly.
 *
 * Indexes are in range: flags are 9 a macroblock, segments 4.
 */
export class ResidualsRoutine implements Residuals {
  readonly coefficients: Int16Array;
  readonly content: Uint8Array;
  readonly #arena: PixelArena;
  readonly #tables: number;
  readonly #quantizers: number;
  readonly #above: Uint8Array;
  readonly #left: Uint8Array;
  readonly #partitions: readonly PartitionWindow[];
  #partition: PartitionWindow;
  #exhausted = false;

  /** @param arena with room reserved: views of it must stay valid. */
  constructor(arena: PixelArena, bytes: Uint8Array, header: FrameHeader, columns: number) {
    this.#arena = arena;
    this.#tables = placeTables(arena, header.coefficientProbabilities);
    this.#quantizers = placeQuantizers(arena, header);
    this.#above = arena.allocateView(columns * flagsPerMacroblock);
    this.#left = arena.allocateView(flagsPerMacroblock);
    this.content = arena.allocateView(blocksPerMacroblock);
    // The block of second order stands before the others.
    const address = arena.allocate((1 + blocksPerMacroblock) * blockBytes) + blockBytes;
    this.coefficients = new Int16Array(
      arena.bytes.buffer,
      address,
      blocksPerMacroblock * coefficientsPerBlock,
    );
    this.#partitions = header.partitions.map(
      ({ start, end }) => new PartitionWindow(arena, bytes, start, end),
    );
    this.#partition = this.#partitions[0]!;
  }

  get exhausted(): boolean {
    return this.#exhausted;
  }

  startRow(row: number): void {
    this.#left.fill(0);
    this.#partition = this.#partitions[row % this.#partitions.length]!;
    this.#exhausted = this.#partition.exhausted;
  }

  skip(column: number, modes: MacroblockModes): void {
    clearFlags(this.#above, column * flagsPerMacroblock, modes);
    clearFlags(this.#left, 0, modes);
    this.content.fill(blockContent.empty);
  }

  read(column: number, { hasSubmodes, segment }: MacroblockModes): boolean {
    this.#partition.fill();
    const result = this.#arena.routines.vp8_read_residuals(
      this.#partition.state,
      this.#tables,
      this.#above.byteOffset + column * flagsPerMacroblock,
      this.#left.byteOffset,
      this.#quantizers + segment * quantizerBytes,
      this.coefficients.byteOffset,
      this.content.byteOffset,
      hasSubmodes ? 1 : 0,
    );
    this.#exhausted = result >> 8 !== 0;
    return (result & 255) !== 0;
  }
}

function placeTables(arena: PixelArena, probabilities: Uint8Array): number {
  const tables = arena.allocateView(tokenTablesBytes);
  for (let type = 0; type < 4; type++) {
    for (const [position, band] of bandOffsets.entries()) {
      const from = type * probabilitiesPerType + band;
      const ofBand = probabilities.subarray(from, from + probabilitiesPerBand);
      tables.set(ofBand, tokenTables.probabilities + type * typeBytes + position * positionBytes);
    }
  }
  for (const [position, index] of zigzag.entries()) tables[tokenTables.zigzag + position] = 2 * index;
  for (const [i, bits] of categoryBits.entries())
    tables.set(bits, tokenTables.categories + i * categoryBytes);
  return tables.byteOffset;
}

function placeQuantizers(arena: PixelArena, { segments }: FrameHeader): number {
  const address = arena.allocate(segments.length * quantizerBytes);
  for (const [i, { quantizer }] of segments.entries()) {
    const fields = new DataView(arena.bytes.buffer, address + i * quantizerBytes, quantizerBytes);
    for (const [name, offset] of Object.entries(quantizerLayout)) {
      fields.setInt32(offset, quantizer[name as keyof typeof quantizerLayout], true);
    }
  }
  return address;
}
