// Classifies a photo by its bytes and by a form, with the generated types. Prints two labels.
import { readFile } from 'node:fs/promises';
import createClient from 'openapi-fetch';
import type { paths } from './schema.js';

const [url, path] = process.argv.slice(2) as [string, string];
const photo = new Blob([await readFile(path)]);
const client = createClient<paths>({ baseUrl: url });

const params = { query: { top_k: 2 } };
const answer = await client.POST('/v1/classify', {
  params,
  // OpenAPI calls bytes a string; the serializer hands on what is there.
  body: photo as unknown as string,
  bodySerializer: (body) => body,
  headers: { 'content-type': 'application/octet-stream' },
});
console.log(answer.data?.predictions[0]?.label);

const form = new FormData();
form.append('image', photo, 'photo.jpg');
const formAnswer = await client.POST('/v1/classify/form', {
  body: { image: [] },
  bodySerializer: () => form,
});
console.log(formAnswer.data?.results[0]?.predictions?.[0]?.label);
