import { CodedError } from '../../errors.ts';
import type { CatalogReader } from '../../model/catalog-reader.ts';
import type { FileKind, ModelFile, ModelManifest } from '../../model/manifest.ts';
import type { ModelSources } from '../../model/model-sources.ts';
import { toModelKey } from '../../model/model-store.ts';
import { createNodeSha256 } from '../../model/sha256-node.ts';
import { readVerifiedChunks } from '../../model/verified-chunks.ts';
import { TierModel, type TierModelOptions } from './tier-model.ts';

/** Models of the tier by name and version, loaded when they are first asked for and kept. */
export class TierModels {
  readonly #catalog: CatalogReader;
  readonly #sources: ModelSources;
  readonly #options: TierModelOptions;
  readonly #models = new Map<string, Promise<TierModel>>();

  constructor(catalog: CatalogReader, sources: ModelSources, options: TierModelOptions) {
    this.#catalog = catalog;
    this.#sources = sources;
    this.#options = options;
  }

  /**
   * @param version undefined for what the name means now.
   * @throws {CodedError} `model_*`.
   */
  async get(name: string | undefined, version?: string): Promise<TierModel> {
    const manifest = await this.#catalog.readManifest(name, version);
    const key = `${manifest.name}/${manifest.version}`;
    let loading = this.#models.get(key);
    if (!loading) {
      loading = this.#load(manifest);
      this.#models.set(key, loading);
      // A failure is not remembered: the next request tries again.
      loading.catch(() => this.#models.delete(key));
    }
    return await loading;
  }

  async loaded(): Promise<TierModel[]> {
    return (await Promise.allSettled(this.#models.values())).flatMap((model) =>
      model.status === 'fulfilled' ? [model.value] : [],
    );
  }

  async #load(manifest: ModelManifest): Promise<TierModel> {
    const labels = await this.#catalog.readLabels(manifest);
    const { kind, modelFile } = pickFile(manifest, this.#options.executionProviders);
    const { file, bytes } = modelFile;
    const shared = new SharedArrayBuffer(bytes);
    await this.#sources.read(toModelKey(manifest.name, manifest.version, file), async (object) => {
      let offset = 0;
      for await (const chunk of readVerifiedChunks(object, modelFile, createNodeSha256)) {
        if (offset + chunk.byteLength > bytes) throw new CodedError('model_corrupt', `${file} is too long.`);
        new Uint8Array(shared).set(chunk, offset);
        offset += chunk.byteLength;
      }
    });
    return await TierModel.load(manifest, labels, { kind, bytes: shared }, this.#options);
  }
}

/** A CPU is fastest on int8, a GPU on float: it takes the int8 graph only where a version has nothing else. */
function pickFile(
  { name, files }: ModelManifest,
  [provider]: readonly string[],
): { kind: FileKind; modelFile: ModelFile } {
  const kinds: readonly FileKind[] =
    provider === undefined || provider === 'cpu'
      ? ['onnx', 'ort', 'rni8', 'onnx_fp32', 'onnx_fp16']
      : ['onnx_fp16', 'onnx_fp32', 'onnx', 'ort', 'rni8'];
  for (const kind of kinds) {
    const modelFile = files[kind];
    if (modelFile) return { kind, modelFile };
  }
  throw new CodedError('model_manifest_invalid', `${name} has no file that the tier runs.`);
}
