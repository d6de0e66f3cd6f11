import type { PictureSource } from '../service/classify.ts';
import { element } from './element.ts';

/**
 * Shows a picture. Where the browser cannot show its format, and for a picture at another host, which this page never
 * asks, a drawing stands in its place.
 *
 * @param onSize told the picture's size once it is known; not at all for a drawing.
 */
export function createPreview(
  source: PictureSource,
  name: string,
  onSize?: (width: number, height: number) => void,
): HTMLElement {
  const holder = element('div', { class: 'preview' });
  if (source.kind === 'url') {
    holder.append(createDrawing('URL', `${name} is fetched by the service, not by this page.`));
    return holder;
  }
  const address = URL.createObjectURL(source.file);
  const image = element('img', { attributes: { alt: `Your picture: ${name}`, decoding: 'async' } });
  image.addEventListener('load', () => {
    URL.revokeObjectURL(address);
    onSize?.(image.naturalWidth, image.naturalHeight);
  });
  image.addEventListener('error', () => {
    URL.revokeObjectURL(address);
    image.replaceWith(createDrawing(toFormat(name), `Your browser cannot show ${name}.`));
  });
  image.src = address;
  holder.append(image);
  return holder;
}

function createDrawing(format: string, explanation: string): HTMLElement {
  return element(
    'div',
    { class: 'drawing' },
    element('span', { class: 'drawing-format', attributes: { 'data-format': format } }),
    element('span', { class: 'drawing-text', text: explanation }),
  );
}

function toFormat(name: string): string {
  const [, ending = ''] = /\.([a-z0-9]{1,5})$/i.exec(name) ?? [];
  return ending === '' ? '?' : ending.toUpperCase();
}
