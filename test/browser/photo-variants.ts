import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';

/** Parts of the shorter side, light and colour of one variant after the other. */
const parts = [0.55, 0.46, 0.68, 0.4, 0.6, 0.5, 0.44];
const light = [0.7, 1, 1.25, 0.85];
const colour = [1, 0.5, 1.4];

/**
 * Other views of a photo: squares from all over it, in other light, every second one mirrored. Always the same ones.
 *
 * @returns paths of JPEG files in `folder`.
 */
export async function makeVariants(
  photo: string,
  name: string,
  count: number,
  folder: string,
): Promise<string[]> {
  const { width, height } = await sharp(photo).metadata();
  await mkdir(folder, { recursive: true });
  return await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const side = Math.round(Math.min(width, height) * (parts[index % parts.length] ?? 0.5));
      const picture = sharp(photo)
        .extract({
          left: Math.floor((width - side) * ((index * 0.37) % 1)),
          top: Math.floor((height - side) * ((index * 0.61) % 1)),
          width: side,
          height: side,
        })
        .modulate({
          brightness: light[index % light.length] ?? 1,
          saturation: colour[index % colour.length] ?? 1,
        });
      if (index % 2 === 1) picture.flop();
      const path = join(folder, `${name}-${index}.jpg`);
      await writeFile(path, await picture.resize(320, 320).jpeg({ quality: 90 }).toBuffer());
      return path;
    }),
  );
}

export const makeFolder = async (): Promise<string> => await mkdtemp(join(tmpdir(), 'photo-variants-'));
