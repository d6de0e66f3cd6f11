import { z } from '@hono/zod-openapi';

// The `content` of a body or an answer, with one media type: of several a generated client picks one, often the wrong one.

export const jsonContent = <T extends z.ZodType>(schema: T) => ({ 'application/json': { schema } });

export const textContent = <T extends string>(type: T) => ({ [type]: { schema: z.string() } });

/** The bytes of a file. */
export const bytesSchema = z.string().openapi({ type: 'string', format: 'binary' });

export const bytesContent = { 'application/octet-stream': { schema: bytesSchema } };
