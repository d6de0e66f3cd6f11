import { expectTypeOf, it } from 'vitest';
import type { z } from 'zod';
import type * as client from '../../src/client/client.ts';
import type { problemSchema } from '../../src/http/openapi.ts';
import type {
  classificationSchema,
  imageSchema,
  modelSchema,
  modelSummarySchema,
  predictionSchema,
} from '../../src/http/schemas.ts';

/** `npm run types` is what fails: the service's schemas are the reference, the client writes them out. */
it('the client declares what the service answers', () => {
  expectTypeOf<client.Prediction>().toEqualTypeOf<z.infer<typeof predictionSchema>>();
  expectTypeOf<client.ImageInfo>().toEqualTypeOf<z.infer<typeof imageSchema>>();
  expectTypeOf<client.ClassifyAnswer>().toEqualTypeOf<z.infer<typeof classificationSchema>>();
  expectTypeOf<client.ModelSummary>().toEqualTypeOf<z.infer<typeof modelSummarySchema>>();
  expectTypeOf<client.Model>().toEqualTypeOf<z.infer<typeof modelSchema>>();
  expectTypeOf<client.Problem>().toEqualTypeOf<z.infer<typeof problemSchema>>();
});
