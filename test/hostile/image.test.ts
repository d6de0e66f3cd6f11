import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/errors.ts';
import { readFixture } from '../image/fixtures.ts';
import {
  endOfImage,
  flatJpeg,
  frame,
  markerPositions,
  quantization,
  scan,
  segment,
  startOfImage,
  zeroBitTables,
} from './jpeg-files.ts';
import { attempt, expectOutcome } from './outcome.ts';
import {
  concat,
  emptyBlocks,
  pngChunk,
  pngFile,
  smallRows,
  speckledRows,
  uint32,
  zeroBomb,
} from './png-files.ts';

describe('PNG', () => {
  const small = smallRows(10, 10);
  const whole = readFixture('png-rgb.png');

  it.each<[string, ErrorCode | 'decoded', () => Uint8Array]>([
    [
      '30000 x 30000 of 1 bit',
      'image_too_many_pixels',
      () => pngFile({ width: 30_000, height: 30_000, bitDepth: 1, colourType: 0, data: zeroBomb(107) }),
    ],
    [
      '16000 x 16000 of zeros',
      'image_too_many_pixels',
      () => pngFile({ width: 16_000, height: 16_000, data: zeroBomb(733) }),
    ],
    [
      'a header of 65535 x 65535',
      'image_too_many_pixels',
      () => pngFile({ width: 65_535, height: 65_535, colourType: 6, data: small }),
    ],
    [
      '8192 x 8192 in RGBA of 16 bits, which take 4 s of CPU',
      'image_too_complex',
      () => pngFile({ width: 8192, height: 8192, bitDepth: 16, colourType: 6, data: small }),
    ],
    [
      '8192 x 8192 in interlaced RGBA, which inflate more than once',
      'image_too_complex',
      () => pngFile({ width: 8192, height: 8192, colourType: 6, interlace: 1, data: small }),
    ],
    [
      '8192 x 8192 in RGBA, which are taken, and whose data is too short',
      'image_truncated',
      () => pngFile({ width: 8192, height: 8192, colourType: 6, data: small }),
    ],
    [
      'a header of 2^31-1 x 2^31-1',
      'image_too_many_pixels',
      () => pngFile({ width: 0x7fffffff, height: 0x7fffffff, data: small }),
    ],
    [
      'a header of 2^32-1 x 1',
      'image_malformed',
      () => pngFile({ width: 0xffffffff, height: 1, data: small }),
    ],
    [
      'a single row of 60 million pixels',
      'image_too_many_pixels',
      () => pngFile({ width: 60_000_000, height: 1, data: zeroBomb(10) }),
    ],
    ['no pixels', 'image_malformed', () => pngFile({ width: 0, height: 10, data: small })],
    [
      'zTXt of 1 GB',
      'decoded',
      () =>
        pngFile({
          width: 10,
          height: 10,
          data: small,
          before: [pngChunk('zTXt', concat([new TextEncoder().encode('Comment\0\0'), zeroBomb(1024)]))],
        }),
    ],
    [
      'iTXt of 1 GB',
      'decoded',
      () =>
        pngFile({
          width: 10,
          height: 10,
          data: small,
          before: [
            pngChunk(
              'iTXt',
              concat([new TextEncoder().encode('XML:com.adobe.xmp\0\x01\0\0\0'), zeroBomb(1024)]),
            ),
          ],
        }),
    ],
    [
      'a hundred Exif profiles as text, of 16 MB each',
      'decoded',
      () => {
        const bomb = concat([new TextEncoder().encode('Raw profile type exif\0\0'), zeroBomb(16)]);
        const chunk = pngChunk('zTXt', bomb);
        return pngFile({ width: 10, height: 10, data: small, before: Array(100).fill(chunk) });
      },
    ],
    [
      'a million blocks that hold nothing',
      'image_truncated',
      () => pngFile({ width: 10, height: 10, data: emptyBlocks(1_000_000) }),
    ],
    [
      'iCCP of 1 GB',
      'decoded',
      () =>
        pngFile({
          width: 10,
          height: 10,
          data: small,
          before: [pngChunk('iCCP', concat([new TextEncoder().encode('x\0\0'), zeroBomb(1024)]))],
        }),
    ],
    ['IDAT of 1 GB for 10 x 10', 'decoded', () => pngFile({ width: 10, height: 10, data: zeroBomb(1024) })],
    ['IDAT of 300 MB for 1 x 1', 'decoded', () => pngFile({ width: 1, height: 1, data: zeroBomb(300) })],
    [
      'IDAT of 300 MB for 1 x 1, interlaced',
      'decoded',
      () => pngFile({ width: 1, height: 1, interlace: 1, data: zeroBomb(300) }),
    ],
    [
      'large and empty',
      'image_truncated',
      () => pngFile({ width: 8000, height: 8000, colourType: 6, data: small }),
    ],
    [
      'large, interlaced and empty',
      'image_truncated',
      () => pngFile({ width: 5600, height: 5600, colourType: 6, interlace: 1, data: small }),
    ],
    [
      'a million tiny chunks',
      'decoded',
      () => pngFile({ width: 10, height: 10, data: small, before: [tinyChunks(1_000_000)] }),
    ],
    [
      'a chunk that claims 4 GB',
      'image_truncated',
      () =>
        concat([
          pngFile({ width: 10, height: 10, data: small }).subarray(0, 33),
          uint32(0xffffffff),
          new TextEncoder().encode('teXt'),
          new Uint8Array(100),
        ]),
    ],
    ['bit depth 3', 'image_malformed', () => pngFile({ width: 10, height: 10, bitDepth: 3, data: small })],
    [
      'colour type 5',
      'image_malformed',
      () => pngFile({ width: 10, height: 10, colourType: 5, data: small }),
    ],
    [
      'interlace method 2',
      'image_malformed',
      () => pngFile({ width: 10, height: 10, interlace: 2, data: small }),
    ],
    ['no palette', 'image_malformed', () => pngFile({ width: 10, height: 10, colourType: 3, data: small })],
    [
      'filter type 7',
      'image_malformed',
      () => pngFile({ width: 10, height: 10, data: deflated(Buffer.alloc(310, 7)) }),
    ],
    [
      'data that is no zlib stream',
      'image_malformed',
      () => pngFile({ width: 10, height: 10, data: new Uint8Array(500).fill(0xaa) }),
    ],
    ['a wrong checksum in IHDR', 'image_malformed', () => flip(whole, 29)],
    ['a wrong checksum in IDAT', 'decoded', () => flip(whole, whole.length - 14)],
    ['damaged data, far below the crop', 'image_malformed', () => flip(tall(), tall().length - 200)],
    ['nothing but the signature', 'image_truncated', () => whole.subarray(0, 8)],
  ])('%s', async (_, code, make) => {
    await expectOutcome(make(), code);
  });

  it('is refused wherever it is cut', async () => {
    for (let length = 8; length < whole.length - 16; length += 13) {
      await expectOutcome(whole.subarray(0, length), 'image_truncated');
    }
  });
});

describe('JPEG', () => {
  const baseline = readFixture('baseline-2x2.jpg');
  const progressive = readFixture('progressive-2x2.jpg');
  const restarting = readFixture('restart-rows.jpg');
  const size = { width: 64, height: 64 };
  const head = concat([startOfImage, quantization, zeroBitTables]);
  const zeros = new Uint8Array(64);

  it.each<[string, ErrorCode | 'decoded' | readonly string[], () => Uint8Array]>([
    [
      '65535 x 65535',
      'image_too_many_pixels',
      () => concat([head, frame({ width: 65_535, height: 65_535 }), scan(1), zeros]),
    ],
    [
      '65535 x 65535, progressive',
      'image_too_many_pixels',
      () => concat([head, frame({ code: 0xc2, width: 65_535, height: 65_535 }), scan(1, 0, 0), zeros]),
    ],
    [
      '65535 x 1000 without data',
      'image_truncated',
      () =>
        concat([head, frame({ width: 65_535, height: 1000, sampling: [0x22, 0x11, 0x11] }), scan(3), zeros]),
    ],
    [
      '65535 x 1000 without data, progressive',
      'image_truncated',
      () =>
        concat([
          head,
          frame({ code: 0xc2, width: 65_535, height: 1000, sampling: [0x22, 0x11, 0x11] }),
          scan(3, 0, 0),
          zeros,
        ]),
    ],
    [
      '65535 x 1000 of 4 x 4 blocks in each component, progressive',
      'image_too_complex',
      () =>
        concat([
          head,
          frame({ code: 0xc2, width: 65_535, height: 1000, sampling: [0x44, 0x44, 0x44, 0x44] }),
          scan(1, 0, 0),
          zeros,
        ]),
    ],
    ['no pixels', 'image_malformed', () => concat([head, frame({ width: 0, height: 0 }), scan(1), zeros])],
    [
      'no rows (DNL)',
      'image_malformed',
      () => concat([head, frame({ width: 8, height: 0 }), scan(1), zeros]),
    ],
    [
      'sampling factor 0',
      'image_malformed',
      () => concat([head, frame({ ...size, sampling: [0x10] }), scan(1), zeros]),
    ],
    [
      'sampling factor 15',
      'image_malformed',
      () => concat([head, frame({ ...size, sampling: [0xff, 0x11, 0x11] }), scan(3), zeros]),
    ],
    [
      'more blocks in an MCU than are legal',
      'image_malformed',
      () => concat([head, frame({ ...size, sampling: [0x44, 0x44, 0x44] }), scan(3), zeros]),
    ],
    [
      '2 components',
      'image_format_unsupported',
      () => concat([head, frame({ ...size, sampling: [0x11, 0x11] }), scan(2), zeros]),
    ],
    [
      '255 components',
      ['image_format_unsupported', 'image_malformed'],
      () => concat([head, frame({ ...size, sampling: Array<number>(255).fill(0x11) }), scan(1), zeros]),
    ],
    [
      'no Huffman tables, and too little data for the typical ones',
      'image_truncated',
      () => concat([startOfImage, quantization, frame(size), scan(1), zeros]),
    ],
    [
      'no Huffman tables of an index that has no typical ones',
      'image_malformed',
      () => concat([startOfImage, quantization, frame(size), segment(0xda, [1, 1, 0x22, 0, 63, 0]), zeros]),
    ],
    [
      'no quantization table',
      'image_malformed',
      () => concat([startOfImage, zeroBitTables, frame(size), scan(1), zeros]),
    ],
    ['no frame header', 'image_malformed', () => concat([head, scan(1), zeros])],
    ['no scan', 'image_truncated', () => concat([head, frame(size), endOfImage])],
    ['two frame headers', 'image_malformed', () => concat([head, frame(size), frame(size), scan(1), zeros])],
    [
      'a scan of a component that is not there',
      'image_malformed',
      () => concat([head, frame(size), segment(0xda, [1, 9, 0, 0, 63, 0]), zeros]),
    ],
    [
      'a scan that names a component twice',
      'image_malformed',
      () =>
        concat([
          head,
          frame({ ...size, sampling: [0x11, 0x11, 0x11] }),
          segment(0xda, [2, 1, 0, 1, 0, 0, 63, 0]),
          zeros,
        ]),
    ],
    [
      'a component without a scan',
      'decoded',
      () => concat([head, frame({ ...size, sampling: [0x11, 0x11, 0x11] }), scan(1), zeros, endOfImage]),
    ],
    [
      'a progressive scan from 5 to 2',
      'image_malformed',
      () => concat([head, frame({ ...size, code: 0xc2 }), scan(1, 5, 2), zeros]),
    ],
    [
      'a progressive scan up to 200',
      'image_malformed',
      () => concat([head, frame({ ...size, code: 0xc2 }), scan(1, 1, 200), zeros]),
    ],
    [
      'a progressive scan of bit 15',
      'image_malformed',
      () => concat([head, frame({ ...size, code: 0xc2 }), scan(1, 0, 0, 0xff), zeros]),
    ],
    [
      'a Huffman table with too many codes',
      'image_malformed',
      () =>
        concat([
          startOfImage,
          quantization,
          segment(0xc4, [0, 9, ...Array<number>(15).fill(0), ...Array<number>(9).fill(0)]),
          segment(0xc4, [0x10, 1, ...Array<number>(15).fill(0), 0]),
          frame(size),
          scan(1),
          zeros,
        ]),
    ],
    [
      'a Huffman table that is cut',
      'image_malformed',
      () =>
        concat([
          startOfImage,
          quantization,
          segment(0xc4, [0, ...Array<number>(16).fill(15)]),
          frame(size),
          scan(1),
          zeros,
        ]),
    ],
    [
      'quantization tables in a segment of length 0',
      'image_malformed',
      () => concat([startOfImage, Uint8Array.of(0xff, 0xdb, 0, 0), quantization, frame(size)]),
    ],
    [
      'Huffman tables in a segment of length 1',
      'image_malformed',
      () =>
        concat([startOfImage, quantization, Uint8Array.of(0xff, 0xc4, 0, 1), frame(size), scan(1), zeros]),
    ],
    [
      'a progressive image without Huffman tables',
      'image_malformed',
      () => concat([startOfImage, quantization, frame({ ...size, code: 0xc2 }), scan(1, 0, 0), zeros]),
    ],
    [
      'a scan that names a component twice',
      'image_malformed',
      () =>
        concat([
          startOfImage,
          quantization,
          zeroBitTables,
          frame({ ...size, sampling: [0x11, 0x11, 0x11] }),
          segment(0xda, [3, 1, 0, 2, 0, 2, 0, 0, 63, 0]),
          zeros,
        ]),
    ],
    [
      'a segment that claims more than there is',
      'image_truncated',
      () => concat([startOfImage, Uint8Array.of(0xff, 0xe0, 0xff, 0xff, 0)]),
    ],
    [
      'lossless coding',
      'image_format_unsupported',
      () => concat([head, frame({ ...size, code: 0xc3 }), scan(1), zeros]),
    ],
    [
      'hierarchical coding',
      'image_format_unsupported',
      () => concat([head, frame({ ...size, code: 0xc5 }), scan(1), zeros]),
    ],
    [
      'arithmetic coding',
      'image_format_unsupported',
      () => concat([head, frame({ ...size, code: 0xc9 }), scan(1), zeros]),
    ],
    ['300 scans over 8000 x 8000', 'image_too_complex', () => scanBomb(8000, 300)],
    ['199 scans over 8000 x 8000', 'image_too_complex', () => scanBomb(8000, 199)],
    [
      '250,000 empty comments',
      'decoded',
      () => concat([startOfImage, comments(250_000), flatJpeg(size).subarray(2)]),
    ],
    [
      'a megabyte of 0xFF',
      'decoded',
      () => concat([startOfImage, new Uint8Array(1 << 20).fill(0xff), flatJpeg(size).subarray(2)]),
    ],
    [
      '10,000 Huffman tables',
      'decoded',
      () =>
        concat([startOfImage, ...Array<Uint8Array>(10_000).fill(zeroBitTables), flatJpeg(size).subarray(2)]),
    ],
    ['a missing EOI', 'decoded', () => baseline.subarray(0, baseline.length - 2)],
    ['garbage after EOI', 'decoded', () => concat([baseline, new Uint8Array(5000).fill(0xd8)])],
    ['nothing but SOI', ['image_truncated', 'image_format_unknown'], () => startOfImage],
    ['nothing', 'image_format_unknown', () => new Uint8Array(0)],
    ['half of a baseline file', 'image_truncated', () => baseline.subarray(0, baseline.length >> 1)],
    ['half of a progressive file', 'image_truncated', () => progressive.subarray(0, progressive.length >> 1)],
    [
      'random data in the scan',
      ['image_malformed', 'image_truncated', 'decoded'],
      () => randomTail(baseline, baseline.lastIndexOf(0xda) + 12),
    ],
    [
      'random data after SOI',
      ['image_malformed', 'image_truncated', 'image_format_unsupported'],
      () => randomTail(baseline, 4),
    ],
    ['restart markers swapped', 'decoded', () => swapRestarts(restarting)],
    ['a restart marker missing', 'decoded', () => withoutRestart(restarting)],
    [
      'an interval of 1 without markers',
      'decoded',
      () => concat([head, segment(0xdd, [0, 1]), frame(size), scan(1), zeros, endOfImage]),
    ],
    [
      'nothing but restart markers',
      'decoded',
      () => concat([head, segment(0xdd, [0, 1]), frame(size), scan(1), restarts(100_000), endOfImage]),
    ],
    [
      'a quarter of a million segments without data, behind fill bytes',
      'decoded',
      () => {
        const large = frame({ width: 4096, height: 4000 });
        const empty = Uint8Array.from({ length: 256_000 * 4 }, (_, i) => [0x55, 0xff, 0xff, 0xd0][i & 3]!);
        return concat([head, segment(0xdd, [0, 1]), large, scan(1), empty, endOfImage]);
      },
    ],
    [
      'a large progressive file of DC alone, of which every block is smoothed',
      'decoded',
      () => {
        const large = frame({ code: 0xc2, width: 8192, height: 8000 });
        return concat([head, large, scan(1, 0, 0), new Uint8Array((1024 * 1000) / 8), endOfImage]);
      },
    ],
  ])('%s', async (_, code, make) => {
    await expectOutcome(make(), code);
  });

  it.each(['baseline-2x2.jpg', 'restart-rows.jpg'])(
    '%s is refused when cut at any marker or anywhere else',
    async (name) => {
      const whole = readFixture(name);
      const cuts = [...markerPositions(whole).filter((at) => at > 2), ...range(20, whole.length - 60, 97)];
      for (const at of cuts.filter((cut) => cut < whole.length - 2)) {
        const { code } = await attempt(whole.subarray(0, at));
        expect.soft(code, `cut at ${at} of ${whole.length}`).toBe('image_truncated');
      }
    },
  );

  it.each(['progressive-2x2.jpg', 'scan-per-component-2x2.jpg'])(
    '%s is refused when cut at any marker',
    async (name) => {
      const whole = readFixture(name);
      for (const at of markerPositions(whole).filter((cut) => cut > 2 && cut < whole.length - 2)) {
        const { code } = await attempt(whole.subarray(0, at));
        expect.soft(code, `cut at ${at} of ${whole.length}`).toBe('image_truncated');
      }
    },
  );
});

/** A "VP8 " chunk of 40 bytes and nothing else: 30 of them behind the frame header. */
function lossy({ width = 64, height = 64, tag = 0x10, first = 16, fill = 0 }): Uint8Array {
  const file = new Uint8Array(60).fill(fill, 30);
  file.set(new TextEncoder().encode('RIFF....WEBPVP8 '));
  const view = new DataView(file.buffer);
  view.setUint32(4, file.length - 8, true);
  view.setUint32(16, 40, true);
  const bits = tag | (first << 5);
  file.set([bits & 255, (bits >> 8) & 255, bits >> 16, 0x9d, 0x01, 0x2a], 20);
  view.setUint16(26, width, true);
  view.setUint16(28, height, true);
  return file;
}

describe('WebP, GIF, BMP, TIFF', () => {
  const webp = readFixture('webp-lossy.webp');
  const ascii = (text: string) => new TextEncoder().encode(text);
  const le = (...values: [number, 1 | 2 | 4][]) =>
    concat(
      values.map(([value, bytes]) => Uint8Array.from({ length: bytes }, (_, i) => (value >>> (8 * i)) & 255)),
    );
  const gif = (width: number, height: number, ...data: number[]) =>
    concat([
      ascii('GIF89a'),
      le([width, 2], [height, 2], [0x80, 1], [0, 2]),
      new Uint8Array(6),
      ascii(','),
      le([0, 4], [width, 2], [height, 2], [0, 1]),
      Uint8Array.from(data),
    ]);
  const bmp = (width: number, height: number, bits = 24, compression = 0) =>
    concat([
      ascii('BM'),
      le(
        [1000, 4],
        [0, 4],
        [54, 4],
        [40, 4],
        [width, 4],
        [height, 4],
        [1, 2],
        [bits, 2],
        [compression, 4],
        [0, 4],
        [0, 4],
        [0, 4],
        [0, 4],
        [0, 4],
      ),
      new Uint8Array(900),
    ]);
  const tiff = (width: number, height: number, stripCount = 1) => {
    const fields: [number, number, number, number][] = [
      [256, 4, 1, width],
      [257, 4, 1, height],
      [258, 3, 1, 8],
      [259, 3, 1, 1],
      [262, 3, 1, 1],
      [273, 4, stripCount, 8],
      [277, 3, 1, 1],
      [278, 4, 1, height],
      [279, 4, stripCount, 100],
    ];
    return concat([
      ascii('II'),
      le([42, 2], [8, 4], [fields.length, 2]),
      ...fields.map(([tag, type, count, value]) => le([tag, 2], [type, 2], [count, 4], [value, 4])),
      new Uint8Array(100),
    ]);
  };

  it.each<[string, ErrorCode | 'decoded' | readonly string[], () => Uint8Array]>([
    [
      'WebP of 16383 x 16383 in 38 bytes',
      'image_too_many_pixels',
      () =>
        concat([
          ascii('RIFF'),
          le([30, 4]),
          ascii('WEBPVP8L'),
          le([17, 4]),
          Uint8Array.of(0x2f, 0xfe, 0xbf, 0xff, 0x0f),
          new Uint8Array(13),
        ]),
    ],
    [
      'WebP of 4000 x 4000, lossless',
      'image_too_many_pixels',
      () =>
        concat([
          ascii('RIFF'),
          le([30, 4]),
          ascii('WEBPVP8L'),
          le([17, 4]),
          le([0x2f, 1], [3999 | (3999 << 14), 4]),
          new Uint8Array(13),
        ]),
    ],
    ['lossy WebP of 16383 x 16383', 'image_too_many_pixels', () => lossy({ width: 16_383, height: 16_383 })],
    ['lossy WebP of 8000 x 8000 without data', 'image_truncated', () => lossy({ width: 8000, height: 8000 })],
    [
      'lossy WebP of 16383 x 4000 without data',
      'image_truncated',
      () => lossy({ width: 16_383, height: 4000 }),
    ],
    ['lossy WebP of no width', 'image_malformed', () => lossy({ width: 0 })],
    ['lossy WebP of no height', 'image_malformed', () => lossy({ height: 0 })],
    ['lossy WebP that is not a keyframe', 'image_malformed', () => lossy({ tag: 0x11 })],
    ['lossy WebP of version 4', 'image_malformed', () => lossy({ tag: 0x18 })],
    ['lossy WebP that is not to be shown', 'image_format_unsupported', () => lossy({ tag: 0 })],
    ['lossy WebP whose first partition is too long', 'image_malformed', () => lossy({ first: 5000 })],
    ['lossy WebP that ends with its first partition', 'image_truncated', () => lossy({ first: 20 })],
    ['lossy WebP whose first partition is empty', 'image_malformed', () => lossy({ first: 0 })],
    ['lossy WebP whose partitions are no code', 'image_malformed', () => lossy({ fill: 0xff })],
    ['WebP that is cut', 'image_truncated', () => webp.subarray(0, webp.length >> 1)],
    [
      'WebP of another kind',
      'image_malformed',
      () => concat([ascii('RIFF'), le([30, 4]), ascii('WEBPnope'), le([17, 4]), new Uint8Array(20)]),
    ],
    ['WebP with random data', ['image_malformed', 'decoded'], () => randomTail(webp, 40)],
    ['WebP without chunks', 'image_truncated', () => concat([ascii('RIFF'), le([4, 4]), ascii('WEBP')])],
    ['GIF of 65535 x 65535', 'image_too_many_pixels', () => gif(65_535, 65_535, 2, 2, 0x44, 1, 0, 0x3b)],
    ['GIF of 8000 x 8000 without data', 'image_truncated', () => gif(8000, 8000, 2, 2, 0x44, 1, 0, 0x3b)],
    [
      'GIF of 8000 x 8000 that never ends a code',
      'image_truncated',
      () => concat([gif(8000, 8000, 8), new Uint8Array(300).fill(1)]),
    ],
    ['GIF with a code size of 200', 'image_malformed', () => gif(10, 10, 200, 2, 0, 0, 0)],
    [
      'GIF without images',
      'image_malformed',
      () => concat([ascii('GIF89a'), le([10, 2], [10, 2], [0, 1], [0, 2]), ascii(';')]),
    ],
    [
      'GIF of a million extensions',
      'image_truncated',
      () =>
        concat([
          ascii('GIF89a'),
          le([10, 2], [10, 2], [0, 1], [0, 2]),
          Uint8Array.from({ length: 3_000_000 }, (_, i) => [0x21, 0xfe, 0][i % 3]!),
        ]),
    ],
    ['BMP of 30000 x 30000', 'image_too_many_pixels', () => bmp(30_000, 30_000)],
    ['BMP of 8000 x 8000 without pixels', 'image_truncated', () => bmp(8000, 8000)],
    ['BMP of -2^31 rows', 'image_too_many_pixels', () => bmp(8, 0x80000000)],
    ['BMP with a negative width', 'image_malformed', () => bmp(-8, 8)],
    [
      'BMP of 8000 x 8000 of endless runs',
      ['image_truncated', 'image_malformed', 'decoded'],
      () => concat([bmp(8000, 8000, 8, 1), new Uint8Array(10_000).fill(255)]),
    ],
    ['BMP with unknown compression', 'image_format_unsupported', () => bmp(8, 8, 24, 9)],
    ['TIFF of 60000 x 60000', 'image_too_many_pixels', () => tiff(60_000, 60_000)],
    ['TIFF of 8000 x 8000 without pixels', 'image_truncated', () => tiff(8000, 8000)],
    ['TIFF with 2^32-1 strips', ['image_truncated', 'image_malformed'], () => tiff(100, 100, 0xffffffff)],
    [
      'BigTIFF with a directory of no entries',
      'image_malformed',
      () => concat([ascii('II'), le([43, 2], [8, 2], [0, 2], [16, 4], [0, 4]), new Uint8Array(100)]),
    ],
    ['TIFF whose strip ends behind it', 'image_truncated', () => tiff(10, 100).subarray(0, 200)],
    [
      'TIFF with a directory at its end',
      'image_truncated',
      () => concat([ascii('II'), le([42, 2], [1000, 4])]),
    ],
    [
      'TIFF of 65535 entries',
      'image_truncated',
      () => concat([ascii('II'), le([42, 2], [8, 4], [65_535, 2])]),
    ],
    ['nothing anyone knows', 'image_format_unknown', () => new Uint8Array(1 << 20).fill(0x5a)],
  ])('%s', async (_, code, make) => {
    await expectOutcome(make(), code);
  });
});

function deflated(rows: Uint8Array): Uint8Array {
  // Stored blocks: a zlib stream without a compressor.
  const length = rows.length;
  return concat([
    Uint8Array.of(0x78, 1, 1, length & 255, length >> 8, ~length & 255, (~length >> 8) & 255),
    rows,
    uint32(0),
  ]);
}

/** 3,000 rows of which the crop shows 1,474 to 1,526. */
function tall(): Uint8Array {
  return pngFile({ width: 60, height: 3000, data: deflateSync(speckledRows(60, 3000), { level: 1 }) });
}

function tinyChunks(count: number): Uint8Array {
  const chunk = pngChunk('teXt', new Uint8Array(0));
  const chunks = new Uint8Array(count * chunk.length);
  for (let i = 0; i < count; i++) chunks.set(chunk, i * chunk.length);
  return chunks;
}

function comments(count: number): Uint8Array {
  return Uint8Array.from({ length: count * 4 }, (_, i) => [0xff, 0xfe, 0, 2][i & 3]!);
}

function restarts(count: number): Uint8Array {
  return Uint8Array.from({ length: count * 2 }, (_, i) => (i & 1 ? 0xd0 + ((i >> 1) & 7) : 0xff));
}

function scanBomb(side: number, scans: number): Uint8Array {
  const data = new Uint8Array(Math.ceil(((side / 8) * (side / 8)) / 8));
  const repeated = Array.from({ length: scans }, () => [scan(1, 1, 63), data]).flat();
  return concat([
    startOfImage,
    quantization,
    zeroBitTables,
    frame({ code: 0xc2, width: side, height: side }),
    scan(1, 0, 0),
    data,
    ...repeated,
    endOfImage,
  ]);
}

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const changed = bytes.slice();
  changed[at]! ^= 1;
  return changed;
}

/** Pseudo-random bytes from `from` on: the same in each run. */
function randomTail(bytes: Uint8Array, from: number): Uint8Array {
  const changed = bytes.slice();
  let state = 1;
  for (let i = from; i < changed.length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    changed[i] = state >>> 24;
  }
  return changed;
}

function restartPositions(bytes: Uint8Array): number[] {
  return markerPositions(bytes).filter((at) => bytes[at + 1]! >= 0xd0 && bytes[at + 1]! <= 0xd7);
}

function swapRestarts(bytes: Uint8Array): Uint8Array {
  const changed = bytes.slice();
  const [first = 0, second = 0] = restartPositions(bytes);
  changed[first + 1] = bytes[second + 1]!;
  changed[second + 1] = bytes[first + 1]!;
  return changed;
}

function withoutRestart(bytes: Uint8Array): Uint8Array {
  const [, second = 0] = restartPositions(bytes);
  return concat([bytes.subarray(0, second), bytes.subarray(second + 2)]);
}

function range(start: number, end: number, step: number): number[] {
  return Array.from({ length: Math.ceil((end - start) / step) }, (_, i) => start + i * step);
}
