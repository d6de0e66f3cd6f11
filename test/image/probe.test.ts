import { describe, expect, it } from 'vitest';
import { parseExifOrientation, parseXmpOrientation } from '../../src/image/exif-orientation.ts';
import { decodeToCrop } from '../../src/image/image-to-crop.ts';
import { parseImageHeader, sniffImageFormat } from '../../src/image/probe.ts';
import { defaultSpec, readFixture } from './fixtures.ts';

describe('sniffImageFormat', () => {
  it.each([
    ['baseline-1x1.jpg', 'jpeg'],
    ['png-rgb.png', 'png'],
    ['gif-plain.gif', 'gif'],
    ['bmp-24.bmp', 'bmp'],
    ['tiff-rgb-lzw.tiff', 'tiff'],
    ['webp-lossy.webp', 'webp'],
    ['refused-avif.avif', 'avif'],
    ['../heif-cases/grid.heic', 'heic'],
  ])('%s', (name, format) => {
    expect(sniffImageFormat(readFixture(name))).toBe(format);
  });

  it('knows nothing else', () => {
    expect(
      sniffImageFormat(new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg"/>')),
    ).toBeUndefined();
    expect(sniffImageFormat(new Uint8Array(0))).toBeUndefined();
  });
});

describe('parseImageHeader', () => {
  it.each([
    ['baseline-2x2.jpg', { format: 'jpeg', width: 240, height: 160, orientation: 1 }],
    ['orientation-8.jpg', { format: 'jpeg', width: 61, height: 43, orientation: 8 }],
    ['orientation-xmp.jpg', { format: 'jpeg', width: 61, height: 43, orientation: 6 }],
    ['orientation-9.jpg', { format: 'jpeg', width: 61, height: 43, orientation: 1 }],
    ['png-orientation-7.png', { format: 'png', width: 60, height: 40, orientation: 7 }],
    ['gif-offset-frame.gif', { format: 'gif', width: 100, height: 80, orientation: 1 }],
    ['tiff-orientation-6.tiff', { format: 'tiff', width: 45, height: 31, orientation: 6 }],
    ['../heif-cases/turned-6.heic', { format: 'heic', width: 150, height: 116, orientation: 6 }],
    ['../heif-cases/grid-clap-irot.heic', { format: 'heic', width: 100, height: 70, orientation: 8 }],
    ['../avif-cases/turned-5.avif', { format: 'avif', width: 150, height: 116, orientation: 5 }],
    ['webp-orientation-6.webp', { format: 'webp', width: 60, height: 40, orientation: 6 }],
  ])('%s', (name, header) => {
    expect(parseImageHeader(readFixture(name))).toEqual(header);
  });
});

describe('orientation', () => {
  it('is not applied if it is to be ignored', async () => {
    const turned = readFixture('orientation-6.jpg');
    const ignored = await decodeToCrop(turned, defaultSpec, { orientation: 'ignore' });
    const upright = await decodeToCrop(readFixture('orientation-1.jpg'), defaultSpec);
    expect(ignored.header.orientation).toBe(1);
    expect(ignored.crop).toEqual(upright.crop);
  });

  it('is read from either byte order', () => {
    const little = Uint8Array.of(0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 5, 0, 0, 0);
    const big = Uint8Array.of(0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 5, 0, 0);
    expect(parseExifOrientation(little)).toBe(5);
    expect(parseExifOrientation(big)).toBe(5);
  });

  it('is none where the metadata is cut, loops or is not there', () => {
    const cut = Uint8Array.of(0x49, 0x49, 42, 0, 8, 0, 0, 0, 255, 255, 0x12);
    expect(parseExifOrientation(cut)).toBeUndefined();
    expect(parseExifOrientation(Uint8Array.of(0x49, 0x49, 42, 0, 255, 255, 255, 255))).toBeUndefined();
    expect(parseExifOrientation(new Uint8Array(0))).toBeUndefined();
    expect(parseXmpOrientation(new TextEncoder().encode('<x/>'))).toBeUndefined();
  });
});
