/** Photos of the page's own, one click away. NOTICE names who took them. */
export const samples = [
  { file: 'sample-cat.jpg', name: 'cat.jpg', label: 'Cat' },
  { file: 'sample-coffee.jpg', name: 'coffee.jpg', label: 'Coffee' },
  { file: 'sample-rocket.jpg', name: 'rocket.jpg', label: 'Rocket' },
  { file: 'sample-dandelion.jpg', name: 'dandelion.jpg', label: 'Dandelion' },
] as const;

export type Sample = (typeof samples)[number];

/** @throws {TypeError} if the network is gone. */
export async function readSample({ file, name }: Sample): Promise<File> {
  const response = await fetch(`/assets/${file}`);
  return new File([await response.blob()], name, { type: 'image/jpeg' });
}
