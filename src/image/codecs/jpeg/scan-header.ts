import { malformed } from '../../image-error.ts';
import type { ComponentPlane } from './component-plane.ts';
import { blockSize, type JpegFrame } from './frame.ts';
import type { HuffmanTable } from './huffman.ts';
import type { Segment } from './segments.ts';
import type { JpegTables } from './tables.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

const lastCoefficient = blockSize - 1;
/** More blocks in an MCU are illegal. @see ITU-T T.81 B.2.3 */
export const maxBlocksPerMcu = 10;

/** A component's part in a scan. */
export interface ScanComponent {
  readonly plane: ComponentPlane;
  readonly dc: HuffmanTable | undefined;
  readonly ac: HuffmanTable | undefined;
  /** DC of the previous block. @see ITU-T T.81 F.1.1.5.1 */
  prediction: number;
}

export interface ScanHeader {
  /** One to four; if more than one, they have `maxBlocksPerMcu` blocks in an MCU at most. */
  readonly components: readonly ScanComponent[];
  /** Zigzag indices of the first and the last coefficient: 0 and 63 in a sequential scan. */
  readonly spectralStart: number;
  readonly spectralEnd: number;
  /** Bit position of the previous scan of the same coefficients (Ah); 0 in the first scan. */
  readonly previousShift: number;
  /** Bit position of this scan's contribution (Al). */
  readonly shift: number;
  /** Where the entropy-coded data begins. */
  readonly dataStart: number;
}

/**
 * @param tables those in force where the scan begins; the scan's components keep them.
 * @throws {CodedError} `image_malformed`.
 * @see ITU-T T.81 B.2.3
 */
export function parseScanHeader(
  bytes: Uint8Array,
  { start, end }: Segment,
  frame: JpegFrame,
  planes: readonly ComponentPlane[],
  tables: JpegTables,
): ScanHeader {
  const count = bytes[start]!;
  if (count < 1 || count > 4 || end - start < 4 + count * 2)
    throw malformed('jpeg', 'a scan header is malformed');
  const band = parseBand(bytes, start + 1 + count * 2, frame, count);

  const needsDc = band.spectralStart === 0 && band.previousShift === 0;
  const needsAc = band.spectralEnd > 0;
  if (!frame.progressive) tables.assumeTypicalHuffman();
  const components: ScanComponent[] = [];
  for (let i = 0; i < count; i++) {
    const at = start + 1 + i * 2;
    const plane = findPlane(planes, bytes[at]!, components);
    if (plane === undefined) throw malformed('jpeg', 'a scan names a component that is not there');
    plane.quantization ??= tables.quantization(plane.declared.quantizationTable);
    components.push({
      plane,
      dc: needsDc ? tables.dc(bytes[at + 1]! >> 4) : undefined,
      ac: needsAc ? tables.ac(bytes[at + 1]! & 15) : undefined,
      prediction: 0,
    });
  }
  const blocksPerMcu = countBlocks(components);
  if (count > 1 && blocksPerMcu > maxBlocksPerMcu)
    throw malformed('jpeg', `${blocksPerMcu} blocks in an MCU`);
  return { ...band, components, dataStart: end };
}

/**
 * The component of that name which the scan has not named yet. If several components have one name, libjpeg takes none
 * that stands in the frame before the position of the scan's current component.
 *
 * @see libjpeg-turbo jdmarker.c, `get_sos`
 */
function findPlane(
  planes: readonly ComponentPlane[],
  id: number,
  named: readonly ScanComponent[],
): ComponentPlane | undefined {
  const isMeant = (plane: ComponentPlane) =>
    plane.declared.id === id && named.every((other) => other.plane !== plane);
  return planes.slice(named.length).find(isMeant) ?? planes.find(isMeant);
}

/** Blocks in an MCU of an interleaved scan. @see ITU-T T.81 A.2.3 */
export function countBlocks(components: readonly ScanComponent[]): number {
  return components.reduce(
    (sum, { plane: { declared } }) => sum + declared.horizontal * declared.vertical,
    0,
  );
}

/** @see ITU-T T.81 G.1.1.1 and table B.3 */
function parseBand(bytes: Uint8Array, at: number, { progressive }: JpegFrame, count: number) {
  if (!progressive) return { spectralStart: 0, spectralEnd: lastCoefficient, previousShift: 0, shift: 0 };
  const spectralStart = bytes[at]!;
  const spectralEnd = bytes[at + 1]!;
  const previousShift = bytes[at + 2]! >> 4;
  const shift = bytes[at + 2]! & 15;
  const isDc = spectralStart === 0;
  const bandIsLegal = isDc
    ? spectralEnd === 0
    : count === 1 && spectralEnd >= spectralStart && spectralEnd <= lastCoefficient;
  const shiftIsLegal = shift <= 13 && (previousShift === 0 || previousShift === shift + 1);
  if (!bandIsLegal || !shiftIsLegal) throw malformed('jpeg', 'a progressive scan has illegal parameters');
  return { spectralStart, spectralEnd, previousShift, shift };
}
