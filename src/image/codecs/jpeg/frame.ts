import { malformed, unsupported } from '../../image-error.ts';
import { marker, parseFrameSize, type Segment } from './segments.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

export const blockSide = 8;
export const blockSize = 64;

/** One colour component as the frame header declares it. @see ITU-T T.81 B.2.2 and A.1.1 */
export interface FrameComponent {
  /** Should be unique in the frame, but some writers repeat it. */
  readonly id: number;
  /** Horizontal and vertical sampling factor, 1 to 4. */
  readonly horizontal: number;
  readonly vertical: number;
  readonly quantizationTable: number;
  /** Blocks that hold pixels: a scan of only this component has these. @see ITU-T T.81 A.2.2 */
  readonly blocksPerLine: number;
  readonly blocksPerColumn: number;
  /** Blocks up to the edge of the last MCU: an interleaved scan has these. @see ITU-T T.81 A.2.4 */
  readonly paddedBlocksPerLine: number;
}

export interface JpegFrame {
  readonly width: number;
  readonly height: number;
  readonly progressive: boolean;
  readonly components: readonly FrameComponent[];
  readonly maxHorizontal: number;
  readonly maxVertical: number;
  readonly mcusPerLine: number;
  readonly mcuRows: number;
}

/**
 * @throws {CodedError} `image_malformed`; `image_format_unsupported` if a sampling factor is no multiple of another
 *   one, which libjpeg refuses too (JERR_FRACT_SAMPLE_NOTIMPL).
 * @see ITU-T T.81 B.2.2
 */
export function parseFrame(bytes: Uint8Array, segment: Segment): JpegFrame {
  const { width, height } = parseFrameSize(bytes, segment);
  const { code, start, end } = segment;
  const count = bytes[start + 5];
  if (count !== 1 && count !== 3 && count !== 4) throw unsupported('jpeg', `${count} colour components`);
  if (end - start < 6 + count * 3) throw malformed('jpeg', 'the frame header is too short');

  const declared: { id: number; horizontal: number; vertical: number; quantizationTable: number }[] = [];
  for (let i = 0; i < count; i++) {
    const at = start + 6 + i * 3;
    const horizontal = bytes[at + 1]! >> 4;
    const vertical = bytes[at + 1]! & 15;
    if (horizontal < 1 || horizontal > 4 || vertical < 1 || vertical > 4) {
      throw malformed('jpeg', `sampling factors of ${horizontal} x ${vertical}`);
    }
    if (bytes[at + 2]! > 3) throw malformed('jpeg', `quantization table ${bytes[at + 2]}`);
    declared.push({ id: bytes[at]!, horizontal, vertical, quantizationTable: bytes[at + 2]! });
  }

  const maxHorizontal = Math.max(...declared.map(({ horizontal }) => horizontal));
  const maxVertical = Math.max(...declared.map(({ vertical }) => vertical));
  const mcusPerLine = Math.ceil(width / (blockSide * maxHorizontal));
  const mcuRows = Math.ceil(height / (blockSide * maxVertical));
  const components = declared.map((component): FrameComponent => {
    const { horizontal, vertical } = component;
    if (maxHorizontal % horizontal !== 0 || maxVertical % vertical !== 0) {
      throw unsupported('jpeg', `sampling ${horizontal} x ${vertical} of ${maxHorizontal} x ${maxVertical}`);
    }
    return {
      ...component,
      blocksPerLine: Math.ceil(Math.ceil((width * horizontal) / maxHorizontal) / blockSide),
      blocksPerColumn: Math.ceil(Math.ceil((height * vertical) / maxVertical) / blockSide),
      paddedBlocksPerLine: mcusPerLine * horizontal,
    };
  });
  return {
    width,
    height,
    progressive: code === marker.startOfFrameProgressive,
    components,
    maxHorizontal,
    maxVertical,
    mcusPerLine,
    mcuRows,
  };
}
