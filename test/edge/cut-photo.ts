import sharp from 'sharp';
import { goldenPath } from '../golden/golden.ts';

/** What golden photos show, by the name of a class. */
export const subjects = { cat: 'cat.jpg', coffee: 'coffee.png', rocket: 'rocket.jpg' } as const;
export type Subject = keyof typeof subjects;

/** A JPEG of a part of a subject's photo, another one for each index. */
export async function cutPhoto(subject: Subject, index: number): Promise<Buffer> {
  const image = sharp(goldenPath(subjects[subject]));
  const { width, height } = await image.metadata();
  const share = 0.62 + 0.05 * (index % 4);
  const [w, h] = [Math.floor(width * share), Math.floor(height * share)];
  const left = Math.floor(((width - w) * (index % 3)) / 2);
  const top = Math.floor((height - h) * (index % 2));
  return await image.extract({ left, top, width: w, height: h }).jpeg({ quality: 90 }).toBuffer();
}
