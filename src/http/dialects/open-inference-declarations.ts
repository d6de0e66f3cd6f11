import { createRoute, z } from '@hono/zod-openapi';
import { sampleImageBase64 } from '../examples.ts';
import { modelCodes, pictureCodes, problemResponses } from '../openapi.ts';
import { jsonContent } from '../schemas/content.ts';

// Declares /v2 for the OpenAPI document; open-inference.ts has the handlers.

const tensorMetadataSchema = z
  .object({ name: z.string(), datatype: z.string(), shape: z.array(z.int()) })
  .openapi('OpenInferenceTensorMetadata');
export const modelMetadataSchema = z
  .object({
    name: z.string(),
    versions: z.array(z.string()),
    platform: z.string(),
    inputs: z.array(tensorMetadataSchema),
    outputs: z.array(tensorMetadataSchema),
  })
  .openapi('OpenInferenceModel');
const parametersSchema = z.record(z.string(), z.unknown()).openapi('OpenInferenceParameters');
const datatypeSchema = z
  .enum(['FP32', 'UINT8', 'BYTES'])
  // Go has one name space for the constants of all enums, and a model's datatype is fp32.
  .openapi('OpenInferenceDatatype', { 'x-enum-varnames': ['TENSOR_FP32', 'TENSOR_UINT8', 'TENSOR_BYTES'] });
const tensorSchema = z
  .object({
    name: z.string(),
    shape: z.array(z.int()),
    datatype: datatypeSchema,
    parameters: parametersSchema.optional(),
    data: z.array(z.unknown()).optional(),
  })
  .openapi('OpenInferenceTensor');
const wantedOutputSchema = z
  .object({ name: z.string(), parameters: parametersSchema.optional() })
  .openapi('OpenInferenceWantedOutput');
const inferRequestSchema = z
  .object({
    id: z.string().optional(),
    parameters: parametersSchema.optional(),
    inputs: z.array(tensorSchema).min(1),
    outputs: z.array(wantedOutputSchema).optional(),
  })
  .openapi('OpenInferenceRequest');
const inferResponseSchema = z
  .object({
    model_name: z.string(),
    model_version: z.string(),
    id: z.string().optional(),
    outputs: z.array(tensorSchema),
  })
  .openapi('OpenInferenceResponse');

export const serverSchema = z
  .object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) })
  .openapi('OpenInferenceServer');
export const serverLiveSchema = z.object({ live: z.boolean() }).openapi('OpenInferenceLive');
export const serverReadySchema = z.object({ ready: z.boolean() }).openapi('OpenInferenceReady');
export const modelReadySchema = z
  .object({ name: z.string(), ready: z.boolean() })
  .openapi('OpenInferenceModelReady');
export const modelConfigSchema = z
  .looseObject({ name: z.string(), platform: z.string(), max_batch_size: z.int() })
  .openapi('OpenInferenceModelConfig');
const modelStatisticsSchema = z
  .looseObject({
    name: z.string(),
    version: z.string(),
    inference_count: z.int(),
    execution_count: z.int(),
  })
  .openapi('OpenInferenceModelStatistics');
export const statisticsSchema = z
  .object({ model_stats: z.array(modelStatisticsSchema) })
  .openapi('OpenInferenceStatistics');

export const declare = <P extends string>(path: P, operationId: string, summary: string, schema: z.ZodType) =>
  createRoute({
    method: 'get',
    path,
    operationId,
    tags: ['dialects'],
    summary,
    request: { params: z.object(toPathParameters(path)) },
    responses: {
      200: { description: 'As the protocol says.', content: jsonContent(schema) },
      ...problemResponses(...modelCodes),
    },
  });

/** An image file as a BYTES tensor, answered by the best three classes. */
const inferExample = {
  inputs: [{ name: 'data', shape: [1], datatype: 'BYTES', data: [sampleImageBase64] }],
  outputs: [{ name: 'logits', parameters: { classification: 3 } }],
};

export const declareInfer = <P extends string>(path: P, operationId: string) =>
  createRoute({
    method: 'post',
    path,
    operationId,
    tags: ['dialects'],
    summary: 'Tensors or image files in, scores out (Open Inference Protocol v2)',
    description:
      'With `Inference-Header-Content-Length` body and answer are binary, as the protocol’s extension has it.',
    request: {
      params: z.object(toPathParameters(path)),
      body: {
        required: true,
        content: {
          'application/json': { schema: inferRequestSchema, example: inferExample },
        },
      },
    },
    responses: {
      200: {
        description: 'Logits, or with the parameter `classification` the best classes as texts.',
        content: jsonContent(inferResponseSchema),
      },
      ...problemResponses('tensor_invalid', ...pictureCodes),
    },
  });

const pathExamples: Readonly<Record<string, string>> = { model: 'resnet18-imagenet1k', version: '3' };

function toPathParameters(path: string): Record<string, z.ZodString> {
  const names = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => name!);
  return Object.fromEntries(
    names.map((name) => [name, z.string().openapi({ example: pathExamples[name] ?? '' })]),
  );
}
