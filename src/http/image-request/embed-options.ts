import { z } from '@hono/zod-openapi';
import type { EmbedChoice } from '../../classify/embedding.ts';
import {
  completeImageOptions,
  type ImageRequestOptions,
  imageExpectations,
  imageOptionsSchema,
  type OptionSet,
  truthSchema,
} from './request-options.ts';

export interface EmbedRequestOptions extends EmbedChoice, ImageRequestOptions {
  /** Whether the vector is scaled to length 1. */
  readonly normalize: boolean;
  /** How the vector stands in JSON. */
  readonly encoding: 'float' | 'base64';
}

export const embedOptionsSchema = imageOptionsSchema.extend({
  layers: z
    .enum(['last', 'all'])
    .openapi('EmbeddingLayers', {
      description: '`last`, the default: the last block’s features. `all`: those of all blocks side by side.',
    })
    .optional(),
  normalize: truthSchema('True, the default, scales the vector to length 1.'),
  encoding_format: z
    .enum(['float', 'base64'])
    .openapi('EmbeddingEncoding', {
      description: '`float`, the default: numbers. `base64`: float32, little-endian, in base64.',
    })
    .optional(),
});

/** What /v1/embeddings and below take. */
export const embedOptions: OptionSet<EmbedRequestOptions> = {
  shape: embedOptionsSchema.shape,
  expectations: {
    ...imageExpectations,
    layers: '"last" or "all"',
    normalize: 'true or false',
    encoding_format: '"float" or "base64"',
  },
  complete(values: z.infer<typeof embedOptionsSchema>) {
    const { layers = 'last', normalize = true, encoding_format: encoding = 'float' } = values;
    return { ...completeImageOptions(values), layers, normalize, encoding };
  },
};
