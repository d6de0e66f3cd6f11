// Classifies a photo by its bytes and by a form, with the generated client. Prints two labels.
import { readFile } from 'node:fs/promises';
import { ClassifyApi, Configuration } from './client/index';

const [url, path] = process.argv.slice(2) as [string, string];
const photo = new Blob([await readFile(path)]);
const api = new ClassifyApi(new Configuration({ basePath: url }));
const answer = await api.classify({ body: photo, topK: 2 });
console.log(answer.predictions[0]?.label);
const form = await api.classifyForm({ image: [photo], topK: 2 });
console.log(form.results[0]?.predictions?.[0]?.label);
