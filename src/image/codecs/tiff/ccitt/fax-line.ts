import { malformed } from '../../../image-error.ts';
import { blackCodes, type CodeTable, codeKind, kindOf, modeCodes, payloadOf, whiteCodes } from './codes.ts';
import type { FaxBits } from './fax-bits.ts';
import { setBits } from './set-bits.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** How a line ends: with its last pixel, or because a code is wrong or the next line begins; or no bit is left. */
export type LineEnd = 'complete' | 'ended';

/** What a run of one colour ended with. */
type RunEnd = 'terminated' | 'stopped' | 'ended';

/**
 * Decodes lines of a fax to runs of white and black pixels by turns, and keeps the line above, to which those in two
 * dimensions refer. What is wrong inside a line costs the rest of that line, as in libtiff, to the pixel.
 *
 * @see ITU-T T.4 4.1 and 4.2; ITU-T T.6 2.2; libtiff tif_fax3.h, `EXPAND1D`, `EXPAND2D` and `CLEANUP_RUNS`
 */
export class FaxLine {
  /** An end of line was met, but its final 1 is still to come. */
  endOfLine = false;
  /** Lines whose codes are wrong, or that are too short or too long. */
  damagedLines = 0;
  readonly #bits: FaxBits;
  readonly #width: number;
  #runs: Int32Array;
  #reference: Int32Array;
  /** Runs of this line so far. */
  #count = 0;
  /** Pixels that they have, with what there is of the next one. */
  #a0 = 0;
  /** What there is of the next run. */
  #pending = 0;
  /** Where the line above changes next, and the run of it behind that. */
  #b1 = 0;
  #next = 0;

  constructor(bits: FaxBits, width: number) {
    this.#bits = bits;
    this.#width = width;
    const size = (width + 64) * 2;
    this.#runs = new Int32Array(size);
    this.#reference = new Int32Array(size);
    this.restart();
  }

  /** The line above is white. */
  restart(): void {
    this.endOfLine = false;
    this.#reference[0] = this.#width;
    this.#reference[1] = 0;
  }

  /** A line in one dimension. */
  readRuns(): LineEnd {
    this.#begin();
    for (;;) {
      const white = this.#readRun(whiteCodes);
      if (white !== 'terminated') return this.#finish(white);
      if (this.#a0 >= this.#width) return this.#finish('stopped');
      const black = this.#readRun(blackCodes);
      if (black !== 'terminated') return this.#finish(black);
      if (this.#a0 >= this.#width) return this.#finish('stopped');
      const runs = this.#runs;
      if (runs[this.#count - 1] === 0 && runs[this.#count - 2] === 0) this.#count -= 2;
    }
  }

  /** A line in two dimensions. */
  readModes(): LineEnd {
    this.#begin();
    this.#b1 = this.#reference[0]!;
    this.#next = 1;
    while (this.#a0 < this.#width) {
      const entry = this.#bits.read(modeCodes);
      if (entry < 0) return this.#finish('ended');
      const end = this.#applyMode(kindOf(entry), payloadOf(entry));
      if (end !== 'terminated') return this.#finish(end);
    }
    if (this.#pending !== 0) {
      if (this.#pending + this.#a0 < this.#width) {
        // A final change below that of the line above is expected.
        const bit = this.#bits.peek(1);
        if (bit < 0) return this.#finish('ended');
        if (bit === 0) {
          this.damagedLines++;
          return this.#finish('stopped');
        }
        this.#bits.skip(1);
      }
      this.#append(0);
    }
    return this.#finish('stopped');
  }

  /** Writes the line, 1 for black, the first pixel in the high bit. */
  fill(target: Uint8Array): void {
    target.fill(0);
    const runs = this.#runs;
    if (this.#count % 2 === 1) runs[this.#count] = 0;
    let x = 0;
    for (let i = 0; i < this.#count; i++) {
      // A negative run is a huge one.
      const run = Math.min(runs[i]! >>> 0, this.#width - x);
      runs[i] = run;
      if (i % 2 === 1 && run > 0) setBits(target, x, x + run);
      x += run;
    }
  }

  /** From now on this line is the one above. */
  becomeReference(): void {
    if (this.#count < this.#runs.length) this.#append(0);
    [this.#runs, this.#reference] = [this.#reference, this.#runs];
  }

  #begin(): void {
    this.#count = 0;
    this.#a0 = 0;
    this.#pending = 0;
  }

  #applyMode(kind: number, distance: number): RunEnd {
    switch (kind) {
      case codeKind.pass:
        this.#findChange();
        this.#b1 = (this.#b1 + this.#takeReference()) | 0;
        this.#pending = (this.#pending + this.#b1 - this.#a0) | 0;
        this.#a0 = this.#b1;
        this.#b1 = (this.#b1 + this.#takeReference()) | 0;
        return 'terminated';
      case codeKind.horizontal:
        return this.#readPair();
      case codeKind.vertical:
        this.#findChange();
        this.#append((this.#b1 - this.#a0 + distance) | 0);
        this.#b1 = (this.#b1 + this.#takeReference()) | 0;
        return 'terminated';
      case codeKind.verticalLeft:
        this.#findChange();
        if (this.#b1 < this.#a0 + distance) break;
        this.#append((this.#b1 - this.#a0 - distance) | 0);
        this.#b1 = (this.#b1 - this.#reference[--this.#next]!) | 0;
        return 'terminated';
      case codeKind.extension:
        this.#appendRest();
        break;
      case codeKind.endOfLine:
        return this.#readEndOfLine();
      default:
        break;
    }
    this.damagedLines++;
    return 'stopped';
  }

  #readPair(): RunEnd {
    const isBlack = this.#count % 2 === 1;
    for (const codes of isBlack ? [blackCodes, whiteCodes] : [whiteCodes, blackCodes]) {
      const end = this.#readRun(codes);
      if (end !== 'terminated') {
        // Here an end of line is no code.
        if (this.endOfLine) this.damagedLines++;
        this.endOfLine = false;
        return end;
      }
    }
    this.#findChange();
    return 'terminated';
  }

  #readEndOfLine(): RunEnd {
    this.#appendRest();
    const rest = this.#bits.peek(4);
    if (rest < 0) return 'ended';
    if (rest !== 0) this.damagedLines++;
    this.#bits.skip(4);
    this.endOfLine = true;
    return 'stopped';
  }

  /** A run of one colour, by its codes. */
  #readRun(codes: CodeTable): RunEnd {
    for (;;) {
      const entry = this.#bits.read(codes);
      if (entry < 0) return 'ended';
      const value = payloadOf(entry);
      switch (kindOf(entry)) {
        case codeKind.terminating:
          this.#append(value);
          return 'terminated';
        case codeKind.makeUp:
          this.#a0 = (this.#a0 + value) | 0;
          this.#pending = (this.#pending + value) | 0;
          break;
        case codeKind.endOfLine:
          this.endOfLine = true;
          return 'stopped';
        default:
          this.damagedLines++;
          return 'stopped';
      }
    }
  }

  /** Moves on to the first change of the line above that is to the right of this line's last, and of its colour. */
  #findChange(): void {
    if (this.#count === 0) return;
    while (this.#b1 <= this.#a0 && this.#b1 < this.#width) {
      this.#b1 = (this.#b1 + this.#takeReference() + this.#takeReference()) | 0;
    }
  }

  #takeReference(): number {
    if (this.#next >= this.#reference.length)
      throw malformed('tiff', 'a fax whose line has too many changes');
    return this.#reference[this.#next++]!;
  }

  #append(length: number): void {
    if (this.#count >= this.#runs.length) throw malformed('tiff', 'a fax whose line has too many changes');
    this.#runs[this.#count++] = this.#pending + length;
    this.#a0 = (this.#a0 + length) | 0;
    this.#pending = 0;
  }

  /** What libtiff notes down before it gives a line up. */
  #appendRest(): void {
    if (this.#count >= this.#runs.length) throw malformed('tiff', 'a fax whose line has too many changes');
    this.#runs[this.#count++] = this.#width - this.#a0;
  }

  /** Makes the runs as long as the line: what was not decoded is white. */
  #finish(end: RunEnd): LineEnd {
    if (this.#pending !== 0) this.#append(0);
    const width = this.#width;
    if (this.#a0 !== width) {
      this.damagedLines++;
      while (this.#a0 > width && this.#count > 0) this.#a0 = (this.#a0 - this.#runs[--this.#count]!) | 0;
      if (this.#a0 < width) {
        this.#a0 = Math.max(0, this.#a0);
        if (this.#count % 2 === 1) this.#append(0);
        this.#append(width - this.#a0);
      } else if (this.#a0 > width) {
        this.#append(width);
        this.#append(0);
      }
    }
    return end === 'ended' ? 'ended' : 'complete';
  }
}
