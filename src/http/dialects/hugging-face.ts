import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { defaultChoice } from '../../classify/choice.ts';
import { CodedError } from '../../errors.ts';
import { formatIssue } from '../../lib/format-issue.ts';
import { defaultTopK } from '../../limits.ts';
import { answerError } from '../answer-error.ts';
import { answerImage, readModel } from '../answer-image.ts';
import type { HonoEnv } from '../context.ts';
import { sampleImageBase64 } from '../examples.ts';
import { topKSchema } from '../image-request/request-options.ts';
import { needs } from '../middleware/access.ts';
import { createRouter, mount, pictureCodes, problemResponses } from '../openapi.ts';
import { labelScoresSchema } from '../schemas/classification.ts';
import { jsonContent } from '../schemas/content.ts';
import { readDialectImage } from './read-dialect-image.ts';

const parametersSchema = z
  .object({
    top_k: topKSchema.optional(),
    function_to_apply: z.enum(['softmax', 'sigmoid', 'none']).openapi('HuggingFaceFunction').optional(),
  })
  .openapi('HuggingFaceParameters');
const requestSchema = z
  .object({
    inputs: z.string().min(1).openapi({ description: 'base64, or a base64 data: URL.' }),
    parameters: parametersSchema.optional(),
  })
  .openapi('HuggingFaceRequest');

const classifyRoute = createRoute({
  method: 'post',
  path: '/models/{model}',
  operationId: 'huggingFaceImageClassification',
  tags: ['dialects'],
  summary: 'Hugging Face image classification; give this as the endpoint URL',
  description: 'The file’s bytes are taken as the body as well.',
  request: {
    params: z.object({ model: z.string().openapi({ example: 'resnet18-imagenet1k' }) }),
    body: {
      required: true,
      content: {
        'application/json': {
          schema: requestSchema,
          example: { inputs: sampleImageBase64, parameters: { top_k: 3 } },
        },
      },
    },
  },
  responses: {
    200: { description: 'Labels, best first.', content: jsonContent(labelScoresSchema) },
    ...problemResponses(...pictureCodes),
  },
});

/** `POST /models/{model}`: raw bytes, or `{inputs, parameters: {top_k, function_to_apply}}`. */
export function huggingFaceRoutes() {
  const app = createRouter();
  app.onError((error, c) => answerError(error, c, ({ detail }) => ({ error: detail })));
  app.use('/models/*', needs('classify'));
  mount(app, classifyRoute, async (c) => c.json(await classify(c), 200), '/models/:model{.+}');
  return app;
}

async function classify(c: Context<HonoEnv>): Promise<z.infer<typeof labelScoresSchema>> {
  const manifest = await readModel(c, c.req.param('model'));
  const { bytes, options } = await readDialectImage(c, parseJson);
  const { classification } = await answerImage(c, bytes, manifest, {
    ...defaultChoice,
    topK: options?.topK ?? defaultTopK,
    scoring: options?.scoring ?? 'model',
  });
  return classification.predictions.map(({ label, score }) => ({ label, score }));
}

function parseJson(json: unknown) {
  const parsed = requestSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const code = issue?.path[0] === 'parameters' ? 'option_invalid' : 'json_invalid';
    throw new CodedError(code, `${formatIssue(issue, 'body')}.`);
  }
  const { inputs, parameters } = parsed.data;
  return { image: inputs, options: { topK: parameters?.top_k, scoring: parameters?.function_to_apply } };
}
