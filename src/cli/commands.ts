import type { Command, CommandGroup } from './command-line/command.ts';

interface Entry {
  /** What it does, in one line without a full stop. */
  readonly summary: string;
  /** A command is imported when it is called: some take more than a second. */
  readonly load: () => Promise<Command | CommandGroup>;
}

/** `resnet-edge COMMAND ...`, behind each npm script and `npx resnet-edge`. A command has the name of its npm script. */
export const commands: Readonly<Record<string, Entry>> = {
  start: {
    summary: 'the service on this machine, for development and first steps',
    load: async () => (await import('./local/start.ts')).start,
  },
  'start:all': {
    summary: 'the same together with the Node tier',
    load: async () => (await import('./local/start-all.ts')).startAll,
  },
  'start:batch': {
    summary: 'the Node tier alone',
    load: async () => (await import('./local/start-batch.ts')).startBatch,
  },
  classify: {
    summary: 'labels of images, in the terminal',
    load: async () => (await import('./ask/classify.ts')).classify,
  },
  embed: {
    summary: 'images as vectors, for search and near-duplicates',
    load: async () => (await import('./ask/embed.ts')).embed,
  },
  keys: {
    summary: 'make an API key, and the secret that goes with it',
    load: async () => (await import('./keys.ts')).keys,
  },
  models: {
    summary: 'import, quantize, verify, publish and compare models',
    load: async () => (await import('./models/models.ts')).models,
  },
  'deploy:setup': {
    summary: 'everything that a Cloudflare account needs, then the deploy',
    load: async () => (await import('./deploy/deploy-setup.ts')).deploySetup,
  },
  deploy: {
    summary: 'the code alone, to an account that was set up',
    load: async () => (await import('./deploy/deploy.ts')).deploy,
  },
  build: {
    summary: 'the bundles as they would be uploaded',
    load: async () => (await import('./build/build.ts')).build,
  },
  'build:web': {
    summary: 'the page and the API reference alone',
    load: async () => (await import('./build/build.ts')).buildPages,
  },
  'build:package': {
    summary: 'the client as a package of its own',
    load: async () => (await import('./build/build-package.ts')).buildPackage,
  },
  'check:bundle': {
    summary: 'the sizes of the bundles, which must not grow',
    load: async () => (await import('./build/check-bundle.ts')).checkBundle,
  },
  kernels: {
    summary: 'the WebAssembly of engine and pixels, from its generator',
    load: async () => (await import('./build/build-kernels.ts')).buildKernels,
  },
  'assets:verify': {
    summary: 'check sizes and SHA-256 of the embedded models',
    load: async () => (await import('./assets-verify.ts')).assetsVerify,
  },
};
