import type { Page } from 'playwright-core';
import { goldenPath } from '../golden/golden.ts';
import { dropFile } from './browser-session.ts';

/** What the pictures show, and what they are made from. */
export interface ShotContext {
  readonly page: Page;
  /** A deployment that is open to everyone. */
  readonly openUrl: string;
  /** One that wants a key. */
  readonly privateUrl: string;
  readonly key: string;
  readonly photos: {
    readonly cats: readonly string[];
    readonly coffees: readonly string[];
    readonly rockets: readonly string[];
  };
}

type Arrange = (context: ShotContext) => Promise<void>;

const heic = new URL('../fixtures/near-cases/odd-clap.heic', import.meta.url).pathname;
const samplePath = (name: string) => new URL(`../../src/web/samples/${name}.jpg`, import.meta.url).pathname;
const overloaded = {
  status: 503,
  headers: { 'retry-after': '30' },
  contentType: 'application/problem+json',
  body: JSON.stringify({ code: 'overloaded' }),
};

const openLook: Arrange = async ({ page, openUrl }) => {
  await page.goto(openUrl);
  await page.locator('body[data-ready]').waitFor();
};
const lookAt = async ({ page }: ShotContext, name: string, path: string) => {
  await dropFile(page, '#stage', name, path);
  await page.locator('#answer[data-state=done]').waitFor();
};

/** The tab Look, by state. */
export const lookStates: Readonly<Record<string, Arrange>> = {
  empty: openLook,
  done: async (context) => {
    await openLook(context);
    // The second time nothing is loaded any more, and "again" computes what was remembered.
    await lookAt(context, 'cat.jpg', goldenPath('cat.jpg'));
    const again = context.page.locator('.remembered button');
    if ((await again.count()) > 0) await again.click();
    await context.page.locator('#answer[data-state=done]').waitFor();
  },
  remembered: async (context) => {
    await openLook(context);
    await lookAt(context, 'coffee.png', goldenPath('coffee.png'));
    await lookAt(context, 'coffee.png', goldenPath('coffee.png'));
    await context.page.locator('.remembered').waitFor();
  },
  busy: async (context) => {
    await openLook(context);
    await context.page.route('**/v1/classify*', () => {});
    await dropFile(context.page, '#stage', 'cat.jpg', goldenPath('cat.jpg'));
    await context.page.locator('#figure.sized').waitFor();
  },
  gallery: async (context) => {
    await openLook(context);
    let answered = 0;
    await context.page.route('**/v1/classify*', async (route) => {
      if (++answered < 5) await route.continue();
    });
    const files = ['cat', 'coffee', '', 'rocket', 'dandelion', 'cat'].map((name) =>
      name === '' ? goldenPath('logits.json') : samplePath(name),
    );
    await context.page.locator('#files').setInputFiles(files);
    await context.page.getByText('3 of 6 pictures answered').waitFor();
  },
  error: async (context) => {
    await openLook(context);
    await dropFile(context.page, '#stage', 'notes.txt', goldenPath('logits.json'));
    await context.page.getByRole('alert').first().waitFor();
  },
  heic: async (context) => {
    await openLook(context);
    await lookAt(context, 'phone.heic', heic);
    await context.page.locator('#picture .drawing').waitFor();
  },
  overloaded: async (context) => {
    await openLook(context);
    await context.page.route('**/v1/classify*', (route) => route.fulfill(overloaded));
    await dropFile(context.page, '#stage', 'cat.jpg', goldenPath('cat.jpg'));
    await context.page.locator('#answer[data-state=held]').waitFor();
  },
  offline: async (context) => {
    await openLook(context);
    await context.page.context().setOffline(true);
    await dropFile(context.page, '#stage', 'cat.jpg', goldenPath('cat.jpg'));
    await context.page.locator('#answer[data-state=held]').waitFor();
  },
  camera: async (context) => {
    await openLook(context);
    await context.page.getByRole('button', { name: 'Camera' }).click();
    await context.page.locator('dialog video').waitFor();
  },
  key: async ({ page, privateUrl }) => {
    await page.goto(privateUrl);
    await page.locator('#key-view').waitFor();
  },
  'key-wrong': async ({ page, privateUrl }) => {
    await page.goto(privateUrl);
    await page.getByLabel('API key or upload token').fill('a key that nobody has');
    await page.keyboard.press('Enter');
    await page.locator('#key-error:not(:empty)').waitFor();
  },
};

const openTeach: Arrange = async ({ page, openUrl }) => {
  await page.goto(`${openUrl}/#teach`);
  await page.locator('#teach[data-view=new]').waitFor();
};
const begin = async (context: ShotContext) => {
  await openTeach(context);
  const { page } = context;
  await page.getByLabel('Class 1').fill('cat');
  await page.getByLabel('Class 2').fill('coffee');
  await page.getByLabel('A name for people').fill('Break room');
  await page.getByRole('button', { name: 'Start' }).click();
  await page.getByLabel('Add photos of cat').waitFor();
};
const add = async ({ page }: ShotContext, label: string, files: readonly string[]) => {
  const card = page.locator('.class-card').filter({ has: page.getByRole('heading', { name: label }) });
  await page.getByLabel(`Add photos of ${label}`).setInputFiles([...files]);
  await card.getByText(/photos? added\.$/).waitFor();
  await page.locator('#estimate[data-state=still]').waitFor();
};
const learn = async (context: ShotContext) => {
  await begin(context);
  const { page } = context;
  const { cats, coffees, rockets } = context.photos;
  await page.getByLabel('Another class').fill('rocket');
  await page.keyboard.press('Enter');
  await add(context, 'coffee', coffees.slice(0, 6));
  await add(context, 'cat', cats.slice(0, 6));
  await add(context, 'rocket', rockets.slice(0, 6));
  await add(context, 'rocket', [...rockets.slice(6, 11), cats[12]!]);
  await add(context, 'cat', cats.slice(6, 12));
  await add(context, 'coffee', coffees.slice(6, 12));
  await page.locator('#doubtful').waitFor();
};
const tryPhoto = async ({ page }: ShotContext, photo: string) => {
  await page.getByLabel('Choose a picture to try').setInputFiles(photo);
  await page.locator('#try-body .bars').waitFor();
};

/** The tab Teach, by state. */
export const teachStates: Readonly<Record<string, Arrange>> = {
  new: openTeach,
  classes: begin,
  sending: async (context) => {
    await begin(context);
    await context.page.route('**/examples', (route) => route.fulfill(overloaded));
    await context.page.getByLabel('Add photos of cat').setInputFiles([...context.photos.cats]);
    await context.page.getByText('The service is busy.').waitFor();
  },
  learned: async (context) => {
    await learn(context);
    await tryPhoto(context, context.photos.cats[13]!);
  },
  none: async (context) => {
    await begin(context);
    await add(context, 'cat', [...context.photos.cats.slice(0, 3), goldenPath('logits.json')]);
    await add(context, 'coffee', context.photos.coffees.slice(0, 3));
    await tryPhoto(context, context.photos.rockets[0]!);
  },
  film: async (context) => {
    await begin(context);
    await context.page.getByRole('button', { name: 'Film cat' }).click();
    await context.page.locator('dialog video').waitFor();
  },
  delete: async (context) => {
    await begin(context);
    await context.page.getByRole('button', { name: 'Delete this classifier' }).click();
    await context.page.getByRole('dialog').waitFor();
  },
  refused: async (context) => {
    const { page, privateUrl, key } = context;
    await page.goto(privateUrl);
    await page.getByLabel('API key or upload token').fill(key);
    await page.keyboard.press('Enter');
    await page.locator('body[data-ready]').waitFor();
    await page.getByRole('tab', { name: 'Teach' }).click();
    await page.locator('#teach-problem .problem').waitFor();
  },
};

/** The API reference. */
export const referenceStates: Readonly<Record<string, Arrange>> = {
  reference: async ({ page, openUrl }) => {
    await page.goto(`${openUrl}/docs#/classify/classifyJson`);
    await page.locator('.opblock.is-open').waitFor();
  },
};
