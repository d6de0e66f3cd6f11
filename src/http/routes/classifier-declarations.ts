import { createRoute, z } from '@hono/zod-openapi';
import { maxImagesPerRequest, maxImportReferences } from '../../limits.ts';
import { sampleImageBase64 } from '../examples.ts';
import { jsonImageShape } from '../image-request/parse-image-request.ts';
import { pictureCodes, problemResponses, referenceCodes } from '../openapi.ts';
import {
  addedFormSchema,
  addedSchema,
  classifierListSchema,
  classifierSchema,
  createClassifierSchema,
  exampleListSchema,
  importListSchema,
  importSchema,
  nameSchema,
  renameClassifierSchema,
  serveSchema,
  versionReportSchema,
  versionSchema,
} from '../schemas/classifier.ts';
import { bytesContent, bytesSchema, jsonContent } from '../schemas/content.ts';

// Declares /v1/classifiers and below for the OpenAPI document; classifiers.ts has the handlers.

const common = { tags: ['classifiers'] };
const own = z.object({ id: z.string() });
const page = { limit: z.string().optional(), after: z.string().optional() };
const bodyCodes = [
  'body_empty',
  'body_too_large',
  'body_aborted',
  'body_timeout',
  'json_invalid',
  'overloaded',
] as const;
const found = ['classifier_not_configured', 'classifier_unknown'] as const;
const anAnswer = <T extends z.ZodType>(description: string, schema: T) => ({
  description,
  content: jsonContent(schema),
});
const jsonBody = <T extends z.ZodType>(schema: T, example: object) => ({
  required: true,
  content: { 'application/json': { schema, example } },
});

export const createClassifierRoute = createRoute({
  ...common,
  method: 'post',
  path: '/v1/classifiers',
  operationId: 'createClassifier',
  summary: 'Begin a classifier with classes of your own',
  request: { body: jsonBody(createClassifierSchema, { name: 'Shop', classes: ['apple', 'pear'] }) },
  responses: {
    201: anAnswer('The classifier, without examples.', classifierSchema),
    ...problemResponses(
      'classifier_not_configured',
      'classifier_quota_exceeded',
      'embedding_unsupported',
      'model_unknown',
      'media_type_unsupported',
      ...bodyCodes,
    ),
  },
});

export const listClassifiersRoute = createRoute({
  ...common,
  method: 'get',
  path: '/v1/classifiers',
  operationId: 'listClassifiers',
  summary: 'Classifiers of your key; none is listed for callers without one',
  request: { query: z.object(page) },
  responses: {
    200: anAnswer('`next_after` asks for the next page.', classifierListSchema),
    ...problemResponses('classifier_not_configured'),
  },
});

export const readClassifierRoute = createRoute({
  ...common,
  method: 'get',
  path: '/v1/classifiers/{id}',
  operationId: 'readClassifier',
  summary: 'Classes, examples and versions of a classifier',
  request: { params: own },
  responses: { 200: anAnswer('The classifier.', classifierSchema), ...problemResponses(...found) },
});

export const renameClassifierRoute = createRoute({
  ...common,
  method: 'patch',
  path: '/v1/classifiers/{id}',
  operationId: 'renameClassifier',
  summary: 'Give it another name; its id stays',
  request: { params: own, body: jsonBody(renameClassifierSchema, { name: 'Fruit' }) },
  responses: {
    200: anAnswer('The classifier.', classifierSchema),
    ...problemResponses(...found, 'media_type_unsupported', ...bodyCodes),
  },
});

export const deleteClassifierRoute = createRoute({
  ...common,
  method: 'delete',
  path: '/v1/classifiers/{id}',
  operationId: 'deleteClassifier',
  summary: 'Delete it with its features and versions',
  request: { params: own },
  responses: { 204: { description: 'It is gone.' }, ...problemResponses(...found) },
});

export const addExampleFormRoute = createRoute({
  ...common,
  method: 'post',
  path: '/v1/classifiers/{id}/examples',
  operationId: 'addExamples',
  summary: `Up to ${maxImagesPerRequest} pictures to learn from, of one class`,
  description: 'A class that is not there is made. A picture that is there in another class moves.',
  request: {
    params: own,
    body: {
      required: true,
      content: {
        'multipart/form-data': {
          schema: z
            .object({
              class: nameSchema.openapi({ example: 'apple' }),
              image: z.array(bytesSchema).openapi({ description: `1 to ${maxImagesPerRequest} files.` }),
            })
            .openapi('AddExamplesForm'),
        },
      },
    },
  },
  responses: {
    200: anAnswer('A result for each file.', addedFormSchema),
    ...problemResponses(...found, 'classifier_quota_exceeded', 'embedding_unsupported', ...pictureCodes),
  },
});

export const addExampleJsonRoute = createRoute({
  ...common,
  method: 'post',
  path: '/v1/classifiers/{id}/examples/json',
  operationId: 'addExampleJson',
  summary: 'One picture to learn from, as base64, by its URL or its key in the bucket',
  request: {
    params: own,
    body: jsonBody(
      z.strictObject({ class: nameSchema, ...jsonImageShape }).openapi('AddExampleJsonRequest'),
      { class: 'cat', image: sampleImageBase64 },
    ),
  },
  responses: {
    200: anAnswer('The example.', addedSchema),
    ...problemResponses(
      ...found,
      'classifier_quota_exceeded',
      'embedding_unsupported',
      ...pictureCodes,
      ...referenceCodes,
    ),
  },
});

export const listExamplesRoute = createRoute({
  ...common,
  method: 'get',
  path: '/v1/classifiers/{id}/examples',
  operationId: 'listExamples',
  summary: 'What it learns from',
  request: { params: own, query: z.object({ ...page, class: z.string().optional() }) },
  responses: {
    200: anAnswer('`next_after` asks for the next page.', exampleListSchema),
    ...problemResponses(...found),
  },
});

export const removeExampleRoute = createRoute({
  ...common,
  method: 'delete',
  path: '/v1/classifiers/{id}/examples/{example}',
  operationId: 'removeExample',
  summary: 'Forget a picture',
  request: { params: own.extend({ example: z.string() }) },
  responses: { 204: { description: 'It is gone.' }, ...problemResponses(...found, 'example_unknown') },
});

export const removeClassRoute = createRoute({
  ...common,
  method: 'delete',
  path: '/v1/classifiers/{id}/classes/{class}',
  operationId: 'removeClass',
  summary: 'Forget a class and its pictures',
  request: { params: own.extend({ class: z.string() }) },
  responses: { 204: { description: 'It is gone.' }, ...problemResponses(...found, 'example_unknown') },
});

export const importExamplesRoute = createRoute({
  ...common,
  method: 'post',
  path: '/v1/classifiers/{id}/imports',
  operationId: 'importExamples',
  summary: `Up to ${maxImportReferences} pictures of a class by URL or key, fetched later`,
  request: {
    params: own,
    body: jsonBody(importSchema, { class: 'apple', images: [{ url: 'https://example.com/apple.jpg' }] }),
  },
  responses: {
    202: anAnswer('Accepted; `imports` counts what is still to be fetched.', classifierSchema),
    ...problemResponses(
      ...found,
      'classifier_quota_exceeded',
      'r2_not_configured',
      'media_type_unsupported',
      ...bodyCodes,
    ),
  },
});

export const listImportsRoute = createRoute({
  ...common,
  method: 'get',
  path: '/v1/classifiers/{id}/imports',
  operationId: 'listImports',
  summary: 'Pictures that are still to be fetched, or could not be',
  request: { params: own, query: z.object(page) },
  responses: {
    200: anAnswer('`next_after` asks for the next page.', importListSchema),
    ...problemResponses(...found),
  },
});

export const clearImportsRoute = createRoute({
  ...common,
  method: 'delete',
  path: '/v1/classifiers/{id}/imports',
  operationId: 'clearImports',
  summary: 'Forget the pictures that could not be had',
  request: { params: own },
  responses: { 204: { description: 'They are gone.' }, ...problemResponses(...found) },
});

export const trainRoute = createRoute({
  ...common,
  method: 'post',
  path: '/v1/classifiers/{id}/train',
  operationId: 'trainClassifier',
  summary: 'Learn a version from the examples; it answers as soon as it is ready',
  description:
    'While one is being trained, the call names that one. If examples came since it began, it is followed by another.',
  request: { params: own },
  responses: {
    202: anAnswer('The version that is being trained.', versionSchema),
    ...problemResponses(...found, 'classifier_not_trainable'),
  },
});

export const readVersionRoute = createRoute({
  ...common,
  method: 'get',
  path: '/v1/classifiers/{id}/versions/{version}',
  operationId: 'readClassifierVersion',
  summary: 'How good a version is',
  request: { params: own.extend({ version: z.string() }) },
  responses: {
    200: anAnswer('The version with its report.', versionReportSchema),
    ...problemResponses(...found, 'classifier_version_unknown'),
  },
});

export const downloadHeadRoute = createRoute({
  ...common,
  method: 'get',
  path: '/v1/classifiers/{id}/versions/{version}/head',
  operationId: 'downloadHead',
  summary: 'The weights of a version, for another deployment of the same base',
  request: { params: own.extend({ version: z.string() }) },
  responses: {
    200: { description: 'The file of the head.', content: bytesContent },
    ...problemResponses(...found, 'classifier_version_unknown'),
  },
});

export const serveVersionRoute = createRoute({
  ...common,
  method: 'post',
  path: '/v1/classifiers/{id}/serve',
  operationId: 'serveClassifierVersion',
  summary: 'Let another version answer: back, or forth again',
  request: { params: own, body: jsonBody(serveSchema, { version: 1 }) },
  responses: {
    200: anAnswer('The classifier.', classifierSchema),
    ...problemResponses(...found, 'classifier_version_unknown', 'media_type_unsupported', ...bodyCodes),
  },
});
