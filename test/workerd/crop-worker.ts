import webpModule from '@jsquash/webp/codec/dec/webp_dec.wasm';
import { phoneFormats } from '../../functions/phone-formats.ts';
import { CodedError } from '../../src/errors.ts';
import { decodeToCrop } from '../../src/image/image-to-crop.ts';
import { PixelRoutines } from '../../src/image/pixel-arena.ts';
import pixelRoutines from '../../src/image/pixel-routines.wasm';
import { digestHex } from '../../src/lib/digest.ts';
import { defaultSpec } from '../image/default-spec.ts';

const options = {
  routines: new PixelRoutines(pixelRoutines),
  loadWebpModule: async () => webpModule,
  ...phoneFormats,
};

/** A Worker that answers a file with the SHA-256 of its crop, or with the code of what is wrong. */
// biome-ignore lint/style/noDefaultExport: workerd looks for it.
export default {
  async fetch(request: Request): Promise<Response> {
    try {
      const { crop, warnings } = await decodeToCrop(
        new Uint8Array(await request.arrayBuffer()),
        defaultSpec,
        options,
      );
      return Response.json({ sha256: await digestHex(crop), warnings });
    } catch (error) {
      const code = error instanceof CodedError ? error.code : `CRASH ${error}`;
      return Response.json({ error: `${code}: ${error instanceof Error ? error.message : ''}` });
    }
  },
};
