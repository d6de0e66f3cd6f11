import { BitReader, restartMarkers } from './bit-reader.ts';
import type { ComponentPlane } from './component-plane.ts';
import { blockSize, type JpegFrame } from './frame.ts';
import type { ProgressiveBand } from './progressive-block.ts';
import { decodeAcFirst, decodeAcRefinement, undoNewCoefficients } from './progressive-block.ts';
import { countBlocks, type ScanComponent, type ScanHeader } from './scan-header.ts';
import { decodeAcCoefficients, decodeDcDifference, skipAcCoefficients } from './sequential-block.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** Decodes the MCUs of a scan faster, and leaves to the scan what is damaged. */
export interface ScanRoutine {
  /** The next MCUs are those of an entropy-coded segment that begins at `position` in the file. */
  enterSegment(position: number): void;
  /** The next MCUs are those of an MCU row, or of row `v` of blocks in it if the scan is not interleaved. */
  enterRow(mcuRow: number, v: number): void;
  /**
   * @param mcu index in its row of the first MCU.
   * @param end index behind the last.
   * @param reader is moved to where the routine stopped: before the MCU that was given up, or behind all data that was
   *   read, which holds no marker.
   * @returns `end`; or the first MCU that was given up, because its data is damaged or ends.
   */
  decode(mcu: number, end: number, reader: BitReader): number;
}

/**
 * One scan, decoded an MCU row at a time. Each scan keeps its place in the file, so all scans of a
 * progressive image can advance side by side and no more than one MCU row of coefficients is held.
 *
 * @see ITU-T T.81 A.2 (order of blocks)
 */
export class JpegScan implements ProgressiveBand {
  readonly components: readonly ScanComponent[];
  readonly spectralStart: number;
  readonly spectralEnd: number;
  readonly previousShift: number;
  readonly shift: number;
  endOfBandRun = 0;
  readonly reader: BitReader;
  /** The last MCU row in which this scan had data; infinite before it is decoded. */
  lastRowWithData = Number.POSITIVE_INFINITY;
  readonly #header: ScanHeader;
  readonly #frame: JpegFrame;
  readonly #restartInterval: number;
  readonly #onDamage: () => void;
  #mcusToRestart: number;
  #nextRestart = 0;
  #routine: ScanRoutine | undefined;

  /** Whether the segment's data has ended early: its remaining MCUs are decoded as zeros. */
  #isExhausted = false;

  /**
   * @param restartInterval in MCUs, 0 if there are no restarts.
   * @param onDamage is called for data that no encoder writes. The scan then decodes it as libjpeg does.
   */
  constructor(
    bytes: Uint8Array,
    header: ScanHeader,
    frame: JpegFrame,
    restartInterval: number,
    onDamage: () => void,
  ) {
    this.components = header.components;
    this.spectralStart = header.spectralStart;
    this.spectralEnd = header.spectralEnd;
    this.previousShift = header.previousShift;
    this.shift = header.shift;
    this.reader = new BitReader(bytes, header.dataStart, onDamage);
    this.#header = header;
    this.#frame = frame;
    this.#restartInterval = restartInterval;
    this.#onDamage = onDamage;
    this.#mcusToRestart = restartInterval;
  }

  /** Blocks that this scan visits. Its cost is proportional to them. */
  get blocks(): number {
    const { mcusPerLine, mcuRows } = this.#frame;
    if (this.components.length > 1) return mcusPerLine * mcuRows * countBlocks(this.components);
    const { blocksPerLine, blocksPerColumn } = this.components[0]!.plane.declared;
    return blocksPerLine * blocksPerColumn;
  }

  /** Blocks from one restart, or beginning of a row, to the next: a routine is entered for each such run. */
  get blocksPerRun(): number {
    const isLone = this.components.length === 1;
    const mcusPerRow = isLone ? this.components[0]!.plane.declared.blocksPerLine : this.#frame.mcusPerLine;
    const mcus = this.#restartInterval === 0 ? mcusPerRow : Math.min(mcusPerRow, this.#restartInterval);
    return mcus * (isLone ? 1 : countBlocks(this.components));
  }

  /** The same scan, at its beginning and without a routine. */
  fromStart(): JpegScan {
    const components = this.components.map((component) => ({ ...component, prediction: 0 }));
    const header = { ...this.#header, components };
    return new JpegScan(this.reader.bytes, header, this.#frame, this.#restartInterval, this.#onDamage);
  }

  /** From now on the routine decodes what it can. */
  accelerate(routine: ScanRoutine): void {
    this.#routine = routine;
    routine.enterSegment(this.reader.position);
  }

  /**
   * The blocks of MCU row `mcuRow`.
   *
   * @param block 64 zeros to work in; zeros again afterwards.
   * @throws {CodedError} `image_truncated`; and what `onDamage` throws.
   */
  decodeRow(mcuRow: number, block: Int16Array): void {
    if (!this.#isExhausted) this.lastRowWithData = mcuRow;
    if (this.components.length === 1) this.#decodeLoneRow(this.components[0]!, mcuRow, block);
    else this.#decodeInterleavedRow(mcuRow, block);
    if (!this.#isExhausted) this.lastRowWithData = mcuRow;
  }

  /** @see ITU-T T.81 A.2.3 */
  #decodeInterleavedRow(mcuRow: number, block: Int16Array): void {
    const { mcusPerLine } = this.#frame;
    this.#routine?.enterRow(mcuRow, 0);
    for (let mcu = 0; mcu < mcusPerLine; ) {
      const end = this.#enterRun(mcu, mcusPerLine);
      mcu = this.#decodeByRoutine(mcu, end);
      for (; mcu < end; mcu++) this.#decodeMcu(mcu, mcuRow, block);
    }
  }

  /** @returns the first MCU that is left to decode, which is `mcu` if there is no routine. */
  #decodeByRoutine(mcu: number, end: number): number {
    const next = this.#routine?.decode(mcu, end, this.reader) ?? mcu;
    // The routine has met damaged data. Only this class knows what libjpeg makes of it.
    if (next < end) this.#routine = undefined;
    return next;
  }

  #decodeMcu(mcu: number, mcuRow: number, block: Int16Array): void {
    for (let i = 0; i < this.components.length; i++) {
      const component = this.components[i]!;
      const { horizontal, vertical } = component.plane.declared;
      for (let v = 0; v < vertical; v++) {
        for (let h = 0; h < horizontal; h++) {
          this.#decodeBlock(component, mcu * horizontal + h, mcuRow * vertical + v, v, block);
        }
      }
    }
    this.#noteEnd();
  }

  #noteEnd(): void {
    if (this.reader.isOverrun()) this.#isExhausted = true;
  }

  /** Undoes what the routine has written to a block that it gave up, so that the block can be decoded again. */
  #undoBlock({ coefficients, declared }: ComponentPlane, blockX: number, row: number): void {
    const isRefinement = this.spectralStart > 0 && this.previousShift > 0;
    const at = (row * declared.paddedBlocksPerLine + blockX) * blockSize;
    if (isRefinement) undoNewCoefficients(this, coefficients, at);
  }

  /** Decodes a row of a scan of one component: it has no padding blocks, and each block is an MCU. @see ITU-T T.81 A.2.2 */
  #decodeLoneRow(component: ScanComponent, mcuRow: number, block: Int16Array): void {
    const { vertical, blocksPerLine, blocksPerColumn } = component.plane.declared;
    for (let v = 0; v < vertical; v++) {
      const blockY = mcuRow * vertical + v;
      if (blockY >= blocksPerColumn) return;
      this.#routine?.enterRow(mcuRow, v);
      for (let blockX = 0; blockX < blocksPerLine; ) {
        const end = this.#enterRun(blockX, blocksPerLine);
        const routine = this.#routine;
        blockX = this.#decodeByRoutine(blockX, end);
        if (routine !== this.#routine) this.#undoBlock(component.plane, blockX, v);
        for (; blockX < end; blockX++) {
          this.#decodeBlock(component, blockX, blockY, v, block);
          this.#noteEnd();
        }
      }
    }
  }

  #decodeBlock(
    component: ScanComponent,
    blockX: number,
    blockY: number,
    row: number,
    block: Int16Array,
  ): void {
    if (this.#frame.progressive) this.#decodeProgressive(component, blockX, row);
    else this.#decodeSequential(component, blockX, blockY, block);
  }

  #decodeSequential(component: ScanComponent, blockX: number, blockY: number, block: Int16Array): void {
    const { plane, dc, ac } = component;
    const { reader } = this;
    const isNeeded =
      blockX >= plane.blockLeft &&
      blockX < plane.blockRight &&
      blockY >= plane.blockTop &&
      blockY < plane.blockBottom;
    let last = 0;
    if (!this.#isExhausted) {
      component.prediction = (component.prediction + decodeDcDifference(reader, dc!)) | 0;
      if (isNeeded) last = decodeAcCoefficients(reader, ac!, plane.quantization!, block, plane.lastKept);
      else skipAcCoefficients(reader, ac!, 1);
    }
    if (!isNeeded) return;
    block[0] = this.#isExhausted ? 0 : Math.imul(component.prediction, plane.quantization![0]!);
    plane.writeBlock(block, last, blockX, plane.rowStart(blockY * plane.side));
  }

  #decodeProgressive(component: ScanComponent, blockX: number, row: number): void {
    if (this.#isExhausted) return;
    const { coefficients, declared } = component.plane;
    const { reader } = this;
    const at = (row * declared.paddedBlocksPerLine + blockX) * blockSize;
    if (this.spectralStart > 0) {
      if (this.previousShift === 0) decodeAcFirst(reader, component.ac!, this, coefficients, at);
      else decodeAcRefinement(reader, component.ac!, this, coefficients, at);
    } else if (this.previousShift === 0) {
      component.prediction = (component.prediction + decodeDcDifference(reader, component.dc!)) | 0;
      coefficients[at] = component.prediction << this.shift;
    } else if (reader.readBits(1) !== 0) {
      coefficients[at]! |= 1 << this.shift;
    }
  }

  /**
   * @param mcu index in its row of the next MCU.
   * @param rowEnd index behind the last MCU of the row.
   * @returns index behind the last MCU before the next restart.
   * @see ITU-T T.81 E.2.4
   */
  #enterRun(mcu: number, rowEnd: number): number {
    if (this.#restartInterval === 0) return rowEnd;
    if (this.#mcusToRestart === 0) {
      if (this.reader.enterRestart(this.#nextRestart)) this.#isExhausted = false;
      this.#nextRestart = (this.#nextRestart + 1) % restartMarkers;
      this.#mcusToRestart = this.#restartInterval;
      this.endOfBandRun = 0;
      for (const component of this.components) component.prediction = 0;
      this.#routine?.enterSegment(this.reader.position);
    }
    const end = Math.min(mcu + this.#mcusToRestart, rowEnd);
    this.#mcusToRestart -= end - mcu;
    return end;
  }
}
