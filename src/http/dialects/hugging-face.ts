import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { defaultChoice } from '../../classify/choice.ts';
import { CodedError } from '../../errors.ts';
import { formatIssue } from '../../lib/format-issue.ts';
import { defaultTopK } from '../../limits.ts';
import { answerError } from '../answer-error.ts';
import { answerImage, readModel } from '../answer-image.ts';
import type { HonoEnv } from '../context.ts';
import { needs } from '../middleware/access.ts';
import { createRouter, mount, pictureCodes, problemResponses } from '../openapi.ts';
import { topKSchema } from '../request-options.ts';
import { readDialectImage } from './read-dialect-image.ts';

const parametersSchema = z.object({
  top_k: topKSchema.default(defaultTopK),
  function_to_apply: z.enum(['softmax', 'sigmoid', 'none']).default('softmax'),
});
const requestSchema = z
  .object({
    inputs: z.string().min(1).openapi({ description: 'base64, or a base64 data: URL.' }),
    parameters: parametersSchema.prefault({}),
  })
  .openapi('HuggingFaceRequest');
const labelsSchema = z.array(z.object({ label: z.string(), score: z.number() }));

const classifyRoute = createRoute({
  method: 'post',
  path: '/models/{model}',
  operationId: 'huggingFaceImageClassification',
  tags: ['dialects'],
  summary: 'Hugging Face image classification; give this as the endpoint URL',
  request: {
    params: z.object({ model: z.string().openapi({ example: 'resnet18-imagenet1k' }) }),
    body: {
      required: true,
      content: {
        'application/octet-stream': { schema: z.string().openapi({ type: 'string', format: 'binary' }) },
        'application/json': { schema: requestSchema },
      },
    },
  },
  responses: {
    200: { description: 'Labels, best first.', content: { 'application/json': { schema: labelsSchema } } },
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

async function classify(c: Context<HonoEnv>): Promise<z.infer<typeof labelsSchema>> {
  const manifest = await readModel(c, c.req.param('model'));
  const { bytes, options } = await readDialectImage(c, parseJson);
  const { classification } = await answerImage(c, bytes, manifest, {
    ...defaultChoice,
    topK: options?.topK ?? defaultTopK,
    scoring: options?.scoring ?? 'softmax',
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
  return { image: inputs, options: { topK: parameters.top_k, scoring: parameters.function_to_apply } };
}
