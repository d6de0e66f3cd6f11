// A Worker of somebody else: the API below a path of its own, and thumbnails by the decoders alone.
import { Hono } from 'hono';
import { composeEdge, type EdgeEnv } from 'resnet-edge/app';
import { createClient } from 'resnet-edge/client';
import { CodedError, decodeToCrop, decodeToFit, readImageHeader } from 'resnet-edge/image';

let edge: ReturnType<typeof composeEdge> | undefined;

const app = new Hono<{ Bindings: EdgeEnv }>()
  .post('/thumbnail', async (c) => {
    const bytes = new Uint8Array(await c.req.arrayBuffer());
    try {
      const { format } = readImageHeader(bytes);
      const { width, height, rgb } = await decodeToFit(bytes, { maxWidth: 320, maxHeight: 320 });
      const { crop } = await decodeToCrop(bytes);
      return c.json({ format, width, height, bytes: rgb.byteLength, crop: crop.byteLength });
    } catch (error) {
      if (error instanceof CodedError) return c.json({ code: error.code }, 422);
      throw error;
    }
  })
  .get('/client', (c) => c.json(Object.keys(createClient({ baseUrl: c.req.url }))))
  .all('/classifier/*', async (c) => {
    edge ??= composeEdge(c.env);
    return await new Hono().route('/classifier', edge.app).fetch(c.req.raw, c.env, c.executionCtx);
  });

export default app;
