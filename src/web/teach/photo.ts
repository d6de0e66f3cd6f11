import { element } from '../dom/element.ts';
import type { Example } from '../service/classifiers.ts';
import { readThumbnail } from './thumbnails.ts';

/** A photo on the contact sheet: its thumbnail, or a drawing where this browser has none. */
export function createPhoto({ id, name }: Example): HTMLElement {
  const holder = element('span', { class: 'photo' });
  void readThumbnail(id).then((thumbnail) => {
    if (!thumbnail) {
      const ending = /\.([a-z0-9]{1,4})$/i.exec(name)?.[1] ?? 'photo';
      holder.append(element('span', { class: 'photo-drawing', text: ending.toUpperCase() }));
      return;
    }
    const image = element('img', { attributes: { alt: name } });
    const address = URL.createObjectURL(thumbnail);
    image.addEventListener('load', () => URL.revokeObjectURL(address));
    image.src = address;
    holder.append(image);
  });
  return holder;
}
