import { decode } from 'image-js';
import type { ImageHeader, RowSink } from './image.ts';
import { malformed, unsupported } from './image-error.ts';

/** Above this, image-js needs more memory than an isolate has: about 20 MB a megapixel. */
const maxPixels = 2_000_000;

/**
 * Stands in until a format has its own decoder: image-js decodes a whole frame.
 *
 * @throws {CodedError} `image_malformed`, `image_format_unsupported`.
 */
export async function decodeWithImageJs(
  bytes: Uint8Array,
  header: ImageHeader,
  sink: RowSink,
): Promise<void> {
  const { format, width, height } = header;
  if (format === 'gif' || format === 'webp') throw unsupported(format, 'no decoder yet');
  if (width * height > maxPixels) throw unsupported(format, 'too large for the interim decoder');
  let image: ReturnType<typeof decode>;
  try {
    image = decode(bytes);
  } catch (cause) {
    throw malformed(format, 'it cannot be decoded', { cause });
  }
  if (image.width !== width || image.height !== height) throw malformed(format, 'its headers disagree');
  const { data, channels, bitDepth } = image.getRawImage();
  const shift = bitDepth === 16 ? 8 : 0;
  const [green, blue] = channels < 3 ? [0, 0] : [1, 2];
  const row = new Uint8Array(width * 3);
  for (let y = sink.window.top; y < sink.window.bottom; y++) {
    for (let x = sink.window.left; x < sink.window.right; x++) {
      const from = (y * width + x) * channels;
      row[x * 3] = data[from] >> shift;
      row[x * 3 + 1] = data[from + green] >> shift;
      row[x * 3 + 2] = data[from + blue] >> shift;
    }
    sink.writeRow(row, y);
  }
}
