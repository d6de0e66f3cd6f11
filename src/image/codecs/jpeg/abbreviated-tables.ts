import { marker, nextSegment } from './segments.ts';
import { JpegTables } from './tables.ts';

/**
 * Reads an abbreviated stream, which holds only tables. Other streams leave these tables out.
 *
 * @throws {CodedError} `image_malformed`, `image_truncated`.
 * @see ITU-T T.81 B.5 (abbreviated format for table-specification data)
 */
export function parseJpegTables(bytes: Uint8Array): JpegTables {
  const tables = new JpegTables();
  let position = 0;
  for (;;) {
    const segment = nextSegment(bytes, position);
    if (segment === undefined || segment.code === marker.endOfImage) return tables;
    tables.define(bytes, segment);
    position = segment.end;
  }
}
