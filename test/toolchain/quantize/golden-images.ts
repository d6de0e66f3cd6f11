import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from 'fast-png';

/** One 224x224 crop, HWC RGB uint8, by the file's name. */
export interface Crop {
  readonly name: string;
  readonly pixels: Uint8Array;
}

const side = 224;
/** Of the shared models (models/README.md): RGB, 1/255. */
const mean = [0.485, 0.456, 0.406] as const;
const std = [0.229, 0.224, 0.225] as const;

/** @returns The 40 golden crops, in the order of their names. */
export function readGoldenCrops(sharedFolder: string): Crop[] {
  const folder = join(sharedFolder, 'golden/crops');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.png'))
    .toSorted()
    .map((name) => {
      const { data, width, height, channels } = decode(readFileSync(join(folder, name)));
      if (width !== side || height !== side || channels !== 3) throw new Error(`${name} is no RGB crop`);
      return { name, pixels: new Uint8Array(data) };
    });
}

export interface Augmentation {
  readonly flip: boolean;
  /** Zoom, > 1 crops into the picture. */
  readonly zoom: number;
  /** Shift of the window, as a share of what the zoom leaves to shift, -1 to 1. */
  readonly shiftX: number;
  readonly shiftY: number;
  /** Factors on the pixel values. */
  readonly brightness: number;
  readonly contrast: number;
}

/** The picture as it is, then five views of it that a camera might have taken. */
export const augmentations: readonly Augmentation[] = [
  { flip: false, zoom: 1, shiftX: 0, shiftY: 0, brightness: 1, contrast: 1 },
  { flip: true, zoom: 1, shiftX: 0, shiftY: 0, brightness: 1, contrast: 1 },
  { flip: false, zoom: 1.15, shiftX: -1, shiftY: -1, brightness: 1, contrast: 1 },
  { flip: true, zoom: 1.15, shiftX: 1, shiftY: 1, brightness: 1.15, contrast: 1 },
  { flip: false, zoom: 1.3, shiftX: 0, shiftY: 0, brightness: 0.85, contrast: 1 },
  { flip: true, zoom: 1.3, shiftX: 1, shiftY: -1, brightness: 1, contrast: 1.2 },
];

/** @returns CHW float32 as the shared models expect it, (3, 224, 224). Bilinear where zoomed. */
export function toModelInput({ pixels }: Crop, augmentation: Augmentation): Float32Array {
  const { flip, zoom, shiftX, shiftY, brightness, contrast } = augmentation;
  const out = new Float32Array(3 * side * side);
  const window = side / zoom;
  const left = ((side - window) / 2) * (1 + shiftX);
  const top = ((side - window) / 2) * (1 + shiftY);
  for (let y = 0; y < side; y++) {
    const sourceY = clampTo(top + (y + 0.5) / zoom - 0.5);
    for (let x = 0; x < side; x++) {
      const sourceX = clampTo(left + ((flip ? side - 1 - x : x) + 0.5) / zoom - 0.5);
      for (let channel = 0; channel < 3; channel++) {
        const value = bilinear(pixels, sourceX, sourceY, channel);
        const lit = Math.min(255, Math.max(0, (value * brightness - 127.5) * contrast + 127.5));
        out[(channel * side + y) * side + x] = (lit / 255 - mean[channel]!) / std[channel]!;
      }
    }
  }
  return out;
}

function clampTo(position: number): number {
  return Math.min(side - 1, Math.max(0, position));
}

function bilinear(pixels: Uint8Array, x: number, y: number, channel: number): number {
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  const [x1, y1] = [Math.min(x0 + 1, side - 1), Math.min(y0 + 1, side - 1)];
  const at = (column: number, row: number) => pixels[(row * side + column) * 3 + channel]!;
  const upper = at(x0, y0) * (x0 + 1 - x) + at(x1, y0) * (x - x0);
  const lower = at(x0, y1) * (x0 + 1 - x) + at(x1, y1) * (x - x0);
  return upper * (y0 + 1 - y) + lower * (y - y0);
}
