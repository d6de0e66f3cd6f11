import { openDecoders } from '../../image/decoders-node.ts';
import type { ImageOptions } from '../../image/image-to-crop.ts';

let options: ImageOptions | undefined;

/** What decodes images in this process: every format of the edge. */
export function readImageOptions(): ImageOptions {
  options ??= openDecoders();
  return options;
}
