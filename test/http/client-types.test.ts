import { expectTypeOf, it } from 'vitest';
import type { z } from 'zod';
import type * as client from '../../src/client/client.ts';
import type { problemSchema } from '../../src/http/openapi.ts';
import type { batchResultSchema, batchSchema } from '../../src/http/schemas/batch.ts';
import type {
  classifyAnswerSchema,
  classifyFormAnswerSchema,
  imageInfoSchema,
  predictionSchema,
} from '../../src/http/schemas/classification.ts';
import type { embeddingAnswerSchema, embeddingFormAnswerSchema } from '../../src/http/schemas/embedding.ts';
import type { modelCardSchema, modelSummarySchema } from '../../src/http/schemas/model-card.ts';

/** `npm run types` is what fails: the service's schemas are the reference, the client writes them out. */
it('the client declares what the service answers', () => {
  expectTypeOf<client.Prediction>().toEqualTypeOf<z.infer<typeof predictionSchema>>();
  expectTypeOf<client.ImageInfo>().toEqualTypeOf<z.infer<typeof imageInfoSchema>>();
  expectTypeOf<client.ClassifyAnswer>().toEqualTypeOf<z.infer<typeof classifyAnswerSchema>>();
  expectTypeOf<client.ClassifyFormAnswer>().toEqualTypeOf<z.infer<typeof classifyFormAnswerSchema>>();
  // The schema leaves the vector open, because its form depends on `encoding_format`; the client asks for numbers.
  type WithoutVector<T> = Omit<T, 'embedding'>;
  expectTypeOf<WithoutVector<client.EmbedAnswer>>().toEqualTypeOf<
    WithoutVector<z.infer<typeof embeddingAnswerSchema>>
  >();
  expectTypeOf<WithoutVector<client.EmbedFormAnswer['results'][number]>>().toEqualTypeOf<
    WithoutVector<z.infer<typeof embeddingFormAnswerSchema>['results'][number]>
  >();
  expectTypeOf<client.Batch>().toEqualTypeOf<z.infer<typeof batchSchema>>();
  expectTypeOf<client.BatchResult>().toEqualTypeOf<z.infer<typeof batchResultSchema>>();
  expectTypeOf<client.ModelSummary>().toEqualTypeOf<z.infer<typeof modelSummarySchema>>();
  expectTypeOf<client.ModelCard>().toEqualTypeOf<z.infer<typeof modelCardSchema>>();
  expectTypeOf<client.Problem>().toEqualTypeOf<z.infer<typeof problemSchema>>();
});
