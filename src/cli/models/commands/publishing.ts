import { catalogKey } from '../../../model/model-store.ts';
import { verifyModel } from '../../assets.ts';
import { UsageError } from '../../command-line/usage-error.ts';
import { defineModelCommand } from '../define-model-command.ts';
import {
  openLocalTarget,
  openRemoteTarget,
  type PublishTarget,
  promoteModel,
  pushModel,
} from '../publish.ts';
import { findModel } from '../workspace.ts';

export const publishOptions = {
  local: { type: 'boolean', default: false },
  remote: { type: 'boolean', default: false },
  env: { type: 'string' },
  'kv-namespace-id': { type: 'string' },
} as const;
export const publishNotes = `--local                the bucket of npm start (default)
--remote               the deployed bucket, through wrangler and its login
--env ENVIRONMENT      with --remote: staging or production (default)
--kv-namespace-id ID   with --remote: this KV namespace as well`;

export const push = defineModelCommand({
  summary: 'publish a version to R2 (and KV); the first of its name is promoted',
  synopsis: 'push NAME [--local|--remote [--env ENVIRONMENT] [--kv-namespace-id ID]]',
  notes: publishNotes,
  options: publishOptions,
  operands: { min: 1, max: 1 },
  run: async (values, [name]) =>
    await withTarget(values, async (opened) => {
      const model = await findModel(`${name}`);
      await verifyModel(model.folder, model.manifest);
      const written = await pushModel(model, opened);
      const { name: modelName, version } = model.manifest;
      const promoted = await promoteIfFirst(modelName, version, opened);
      return { name: `${modelName}/${version}`, written: written.length, promoted };
    }),
});

export const promote = defineModelCommand({
  summary: 'let a name stand for a version; back the same way',
  synopsis: 'promote NAME VERSION [--default] [--local|--remote [--env ENVIRONMENT] [--kv-namespace-id ID]]',
  notes: `--default              let the service's default be this model\n${publishNotes}`,
  options: { ...publishOptions, default: { type: 'boolean', default: false } },
  operands: { min: 2, max: 2 },
  run: async (values, [name, version]) =>
    await withTarget(values, async (opened) => {
      await promoteModel(`${name}`, `${version}`, opened, { asDefault: values.default });
      return { name: `${name}/${version}`, promoted: true };
    }),
});

interface TargetValues {
  readonly local: boolean;
  readonly remote: boolean;
  readonly env?: string | undefined;
  readonly 'kv-namespace-id'?: string | undefined;
}

/** @throws {UsageError} if the options contradict each other. */
export async function withTarget<T>(
  values: TargetValues,
  use: (target: PublishTarget) => Promise<T>,
): Promise<T> {
  const { local, remote, env, 'kv-namespace-id': kvNamespaceId } = values;
  if (local && remote) throw new UsageError('Choose --local or --remote.');
  if (!remote && (env !== undefined || kvNamespaceId !== undefined)) {
    throw new UsageError('--env and --kv-namespace-id belong to --remote.');
  }
  const opened = remote ? await openRemoteTarget({ env, kvNamespaceId }) : await openLocalTarget();
  try {
    return await use(opened);
  } finally {
    await opened.close();
  }
}

async function promoteIfFirst(name: string, version: string, opened: PublishTarget): Promise<boolean> {
  const stored = await opened.read(catalogKey);
  const known =
    stored &&
    JSON.parse(Buffer.from(stored).toString()).models.some((model: { name: string }) => model.name === name);
  if (known) return false;
  await promoteModel(name, version, opened);
  return true;
}
