import { truncated } from '../../../image-error.ts';
import type { StripReader } from '../strip-reader.ts';
import { FaxBits } from './fax-bits.ts';
import { FaxLine } from './fax-line.ts';

/** @see TIFF 6.0 sections 10 and 11; libtiff tif_fax3.c for 'huffmanWords' */
export type FaxCoding = 'huffman' | 'huffmanWords' | 'group3' | 'group3TwoDimensional' | 'group4';

/**
 * Reads the lines of one fax-coded strip or tile: 1 for black.
 *
 * Lines that are damaged are shown as libtiff shows them, and counted.
 */
export class FaxReader implements StripReader {
  readonly #coding: FaxCoding;
  readonly #onDamage: () => void;
  readonly #bits: FaxBits;
  readonly #line: FaxLine;
  /** For files whose strips have no end-of-line codes. */
  #hasEndsOfLine = true;
  #linesRead = 0;
  /** The data ended in order, before the last line. */
  #isOver = false;

  /**
   * @param width pixels of a line.
   * @param onDamage called where something is wrong that is shown nevertheless.
   */
  constructor(strip: Uint8Array, coding: FaxCoding, width: number, onDamage: () => void) {
    this.#coding = coding;
    this.#onDamage = onDamage;
    this.#bits = new FaxBits(strip);
    this.#line = new FaxLine(this.#bits, width);
  }

  restart(strip: Uint8Array): void {
    this.#bits.restart(strip);
    this.#line.restart();
    this.#linesRead = 0;
    this.#isOver = false;
  }

  /** Fills `target`, one line. @throws {CodedError} `image_truncated`, `image_malformed`. */
  read(target: Uint8Array): void {
    const line = this.#line;
    if (this.#isOver) {
      target.fill(0);
      return;
    }
    line.damagedLines = 0;
    if (this.#coding === 'group4') this.#readGroup4(target);
    else if (this.#coding === 'group3' || this.#coding === 'group3TwoDimensional') this.#readGroup3(target);
    else this.#readHuffman(target);
    this.#linesRead++;
    if (line.damagedLines > 0) this.#onDamage();
  }

  #readGroup4(target: Uint8Array): void {
    const line = this.#line;
    const end = line.readModes();
    line.fill(target);
    if (end === 'complete' && !line.endOfLine) {
      line.becomeReference();
      return;
    }
    // libtiff shows what it has, if it has a line.
    if (this.#linesRead === 0) throw truncated('tiff', 'inside the first line of a fax');
    this.#isOver = true;
    this.#onDamage();
  }

  #readGroup3(target: Uint8Array): void {
    const line = this.#line;
    this.#findLine();
    let isOneDimensional = true;
    if (this.#coding === 'group3TwoDimensional') {
      const tag = this.#bits.peek(1);
      if (tag < 0) throw truncated('tiff', 'inside a fax');
      isOneDimensional = tag === 1;
      this.#bits.skip(1);
    }
    const end = isOneDimensional ? line.readRuns() : line.readModes();
    if (end === 'ended') throw truncated('tiff', 'inside a fax');
    line.fill(target);
    if (this.#coding === 'group3TwoDimensional') line.becomeReference();
  }

  #readHuffman(target: Uint8Array): void {
    if (this.#line.readRuns() === 'ended') throw truncated('tiff', 'inside a fax');
    this.#line.fill(target);
    this.#bits.align(this.#coding === 'huffman' ? 8 : 16);
  }

  /**
   * Goes behind the next end of line. Where there is none up to the end of the strip, its lines are taken to have none,
   * and it is begun anew, which is what libtiff does.
   */
  #findLine(): void {
    if (!this.#hasEndsOfLine || this.#skipEndOfLine()) return;
    this.#hasEndsOfLine = false;
    this.#bits.rewind();
    this.#line.endOfLine = false;
    if (this.#linesRead > 0) this.#onDamage();
  }

  #skipEndOfLine(): boolean {
    const bits = this.#bits;
    if (!this.#line.endOfLine) {
      for (;;) {
        const next = bits.peek(11);
        if (next < 0) throw truncated('tiff', 'inside a fax');
        if (next === 0) break;
        bits.skip(1);
      }
    }
    for (;;) {
      const next = bits.peek(8);
      if (next < 0) return false;
      if (next !== 0) break;
      bits.skip(8);
    }
    while (bits.peek(1) === 0) bits.skip(1);
    bits.skip(1);
    this.#line.endOfLine = false;
    return true;
  }
}
