import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { CodedError } from '../../errors.ts';
import { importReferenceSchema, type TaughtClassifier } from '../../jobs/classifiers/classifier.ts';
import type { ClassifierServices } from '../../jobs/classifiers/classifier-services.ts';
import {
  toClassifierJson,
  toExampleJson,
  toImportJson,
  toVersionJson,
} from '../../jobs/classifiers/classifier-wire.ts';
import { toExampleName } from '../../jobs/classifiers/example-name.ts';
import { formatIssue } from '../../lib/format-issue.ts';
import { maxJsonObjectBytes } from '../../limits.ts';
import { answerEach } from '../answer-each.ts';
import { recordImage } from '../answer-image.ts';
import type { HonoEnv } from '../context.ts';
import { parseImageForm, parseImageJson } from '../image-request/parse-image-request.ts';
import type { OptionSet } from '../image-request/request-options.ts';
import { needs, toPayer } from '../middleware/access.ts';
import { createRouter, mount } from '../openapi.ts';
import { readJsonBody } from '../read-body.ts';
import {
  createClassifierSchema,
  importSchema,
  nameSchema,
  renameClassifierSchema,
  serveSchema,
} from '../schemas/classifier.ts';
import {
  addExampleFormRoute,
  addExampleJsonRoute,
  clearImportsRoute,
  createClassifierRoute,
  deleteClassifierRoute,
  downloadHeadRoute,
  importExamplesRoute,
  listClassifiersRoute,
  listExamplesRoute,
  listImportsRoute,
  readClassifierRoute,
  readVersionRoute,
  removeClassRoute,
  removeExampleRoute,
  renameClassifierRoute,
  serveVersionRoute,
  trainRoute,
} from './classifier-declarations.ts';

/** /v1/classifiers. A classifier belongs to the key that made it. Without keys everybody who knows its id may use it. */
export function classifierRoutes() {
  const app = createRouter();
  app.use('/v1/classifiers', needs('teach'));
  app.use('/v1/classifiers/*', needs('teach'));
  mount(app, createClassifierRoute, async (c) => {
    const classifiers = requireClassifiers(c);
    const { name, classes = [], base } = await readFields(c, createClassifierSchema);
    const manifest = await c.get('options').catalog.readManifest(base);
    if (manifest.backbone || !manifest.files.rni8) {
      throw new CodedError('embedding_unsupported', `${manifest.name} does not run on the int8 engine.`);
    }
    const teacher = { owner: c.get('principal').id, payer: toPayer(c) };
    const made = await classifiers.create(teacher, {
      name,
      classes,
      base: { name: manifest.name, version: manifest.version },
    });
    c.header('location', `/v1/classifiers/${made.id}`);
    return c.json(toClassifierJson(await classifiers.describe(made)), 201);
  });
  mount(app, listClassifiersRoute, async (c) => {
    const classifiers = requireClassifiers(c);
    const { limit, after } = readPage(c);
    const { id: owner, kind } = c.get('principal');
    // Without a key the id gives access, so no list shows it.
    const list = kind === 'public' ? [] : await classifiers.store.list(owner, limit, after);
    const described = await Promise.all(list.map((row) => classifiers.describe(row)));
    return c.json({ classifiers: described.map(toClassifierJson), next_after: nextOf(list, limit) });
  });
  mount(app, readClassifierRoute, async (c) => await answerWith(c, await findClassifier(c)));
  mount(app, renameClassifierRoute, async (c) => {
    const { id } = await findClassifier(c);
    const { name } = await readFields(c, renameClassifierSchema);
    await requireClassifiers(c).store.rename(id, name);
    return await answerWith(c, await findClassifier(c));
  });
  mount(app, deleteClassifierRoute, async (c) => {
    const { id } = await findClassifier(c);
    await requireClassifiers(c).delete(id);
    return c.body(null, 204);
  });
  mountExamples(app);
  mountVersions(app);
  return app;
}

function mountExamples(app: ReturnType<typeof createRouter>): void {
  mount(app, addExampleFormRoute, async (c) => {
    const classifier = await findClassifier(c);
    const { images, label } = await parseImageForm(c, exampleOptions);
    const results = await answerEach(c, images, (bytes, name) =>
      addExample(c, classifier, label, bytes, name),
    );
    return c.json({ results, classifier: await describe(c, await findClassifier(c)) });
  });
  mount(app, addExampleJsonRoute, async (c) => {
    const classifier = await findClassifier(c);
    const { image, label } = await parseImageJson(c, exampleOptions);
    const added = await addExample(c, classifier, label, image.bytes, undefined);
    return c.json({ ...added, classifier: await describe(c, await findClassifier(c)) });
  });
  mount(app, listExamplesRoute, async (c) => {
    const { id } = await findClassifier(c);
    const { limit, after } = readPage(c);
    const { examples } = requireClassifiers(c);
    const list = await examples.list(id, limit, after, c.req.query('class'));
    return c.json({ examples: list.map(toExampleJson), next_after: nextOf(list, limit) });
  });
  mount(app, removeExampleRoute, async (c) => {
    const { id } = await findClassifier(c);
    await requireClassifiers(c).removeExample(id, c.req.param('example') ?? '');
    return c.body(null, 204);
  });
  mount(app, removeClassRoute, async (c) => {
    const { id } = await findClassifier(c);
    await requireClassifiers(c).removeClass(id, c.req.param('class') ?? '');
    return c.body(null, 204);
  });
  mount(app, importExamplesRoute, async (c) => {
    const { id } = await findClassifier(c);
    const { class: label, images } = await readFields(c, importSchema);
    const references = images.map((image) => {
      const reference = importReferenceSchema.safeParse(image);
      if (reference.success) return reference.data;
      throw new CodedError('option_invalid', 'Each of images has one of url and r2_key.');
    });
    if (!c.get('options').readR2Image && references.some((reference) => 'r2_key' in reference)) {
      throw new CodedError('r2_not_configured', 'No bucket of images is bound (IMAGES_BUCKET).');
    }
    await requireClassifiers(c).importExamples(id, label, references);
    return c.json(await describe(c, await findClassifier(c)), 202);
  });
  mount(app, clearImportsRoute, async (c) => {
    const { id } = await findClassifier(c);
    await requireClassifiers(c).imports.deleteFailed(id);
    return c.body(null, 204);
  });
  mount(app, listImportsRoute, async (c) => {
    const { id } = await findClassifier(c);
    const { limit, after } = readPage(c);
    const list = await requireClassifiers(c).imports.list(id, limit, after);
    return c.json({ imports: list.map(toImportJson), next_after: nextOf(list, limit) });
  });
}

function mountVersions(app: ReturnType<typeof createRouter>): void {
  mount(app, trainRoute, async (c) => {
    const { id } = await findClassifier(c);
    const classifiers = requireClassifiers(c);
    const version = await classifiers.versions.find(id, await classifiers.train(id));
    if (!version) throw new CodedError('classifier_unknown', 'The classifier was deleted meanwhile.');
    return c.json(toVersionJson(version), 202);
  });
  mount(app, readVersionRoute, async (c) => {
    const { id } = await findClassifier(c);
    const version = await findVersion(c, id);
    const report = await requireClassifiers(c).heads.readReport(id, version.version);
    return c.json({ ...toVersionJson(version), report: report ?? null });
  });
  mount(app, downloadHeadRoute, async (c) => {
    const { id } = await findClassifier(c);
    const { version } = await findVersion(c, id);
    const object = await requireClassifiers(c).heads.openHead(id, version);
    if (!object) throw unknownVersion();
    return c.body(await object.arrayBuffer(), 200, {
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="${id}-${version}.rnhd"`,
    });
  });
  mount(app, serveVersionRoute, async (c) => {
    const { id } = await findClassifier(c);
    const { version } = await readFields(c, serveSchema);
    await requireClassifiers(c).serve(id, version);
    return await answerWith(c, await findClassifier(c));
  });
}

const exampleOptions: OptionSet<{ readonly label: string }> = {
  shape: { class: nameSchema },
  expectations: { class: 'a name of 1 to 80 characters' },
  complete: (values) => ({ label: String(values['class']) }),
};

async function addExample(
  c: Context<HonoEnv>,
  classifier: TaughtClassifier,
  label: string,
  bytes: Uint8Array,
  name: string | undefined,
) {
  const { catalog, classifier: runner } = c.get('options');
  const { base } = classifier;
  const manifest = await catalog.readManifest(base.name, base.version);
  const example = { bytes, class: label, name: toExampleName(name ?? '') };
  return await requireClassifiers(c).addExample(classifier, example, () =>
    recordImage(c, bytes, manifest, async (context) => {
      const { image, vectors } = await runner.features.embedViews(bytes, manifest, context);
      return { image, result: vectors };
    }),
  );
}

/** @throws {CodedError} `classifier_not_configured`. */
function requireClassifiers(c: Context<HonoEnv>): ClassifierServices {
  const { classifiers } = c.get('options');
  if (classifiers) return classifiers;
  throw new CodedError('classifier_not_configured', 'This deployment has no database and queue for lessons.');
}

/** A classifier of someone else does not exist. */
async function findClassifier(c: Context<HonoEnv>): Promise<TaughtClassifier> {
  const found = await requireClassifiers(c).store.find(c.req.param('id') ?? '');
  if (found?.owner === c.get('principal').id) return found;
  throw new CodedError('classifier_unknown', 'There is no classifier of this id.');
}

async function findVersion(c: Context<HonoEnv>, id: string) {
  const text = c.req.param('version') ?? '';
  const version = /^\d{1,9}$/.test(text)
    ? await requireClassifiers(c).versions.find(id, Number(text))
    : undefined;
  if (version) return version;
  throw unknownVersion();
}

function unknownVersion(): CodedError {
  return new CodedError('classifier_version_unknown', 'The classifier has no such version.');
}

const describe = async (c: Context<HonoEnv>, classifier: TaughtClassifier) =>
  toClassifierJson(await requireClassifiers(c).describe(classifier));

const answerWith = async (c: Context<HonoEnv>, classifier: TaughtClassifier) =>
  c.json(await describe(c, classifier));

/** @throws {CodedError} `option_invalid`, `json_invalid`, and what reading a body throws. */
async function readFields<T>(c: Context<HonoEnv>, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(await readJsonBody(c, maxJsonObjectBytes));
  if (parsed.success) return parsed.data;
  throw new CodedError('option_invalid', `${formatIssue(parsed.error.issues[0], 'body')}.`);
}

const limitSchema = z
  .string()
  .regex(/^\d{1,3}$/)
  .default('20')
  .transform(Number)
  .pipe(z.int().min(1).max(100));

function readPage(c: Context<HonoEnv>): { readonly limit: number; readonly after: string } {
  const limit = limitSchema.safeParse(c.req.query('limit'));
  if (!limit.success) throw new CodedError('option_invalid', 'limit must be a whole number from 1 to 100.');
  return { limit: limit.data, after: c.req.query('after') ?? '' };
}

const nextOf = (list: readonly { readonly id: string }[], limit: number) =>
  list.length === limit ? (list.at(-1)?.id ?? null) : null;
