import { CodedError } from '../../errors.ts';
import { maxTierHeadsBytes } from '../../limits.ts';
import type { CatalogReader } from '../../model/catalog-reader.ts';
import { HeadCache } from '../../model/head-cache.ts';
import type { FileKind, ModelFile, ModelManifest } from '../../model/manifest.ts';
import type { ModelSources } from '../../model/model-sources.ts';
import { toModelKey } from '../../model/model-store.ts';
import { createNodeSha256 } from '../../model/sha256-node.ts';
import { readVerifiedChunks } from '../../model/verified-chunks.ts';
import { TierHead } from './tier-head.ts';
import { TierModel, type TierModelOptions, type TierNetwork } from './tier-model.ts';

/** The bytes of a graph whose only output is the features of its blocks, and the name of that output. */
export interface FeatureGraph {
  readonly output: string;
  readonly attach: (onnx: Uint8Array) => Uint8Array;
}

/**
 * Models of the tier by name and version. A model is loaded when it is first asked for, and kept. A backbone is loaded
 * a second time for its features, once for all heads; the heads are kept within a budget.
 */
export class TierModels {
  readonly #catalog: CatalogReader;
  readonly #sources: ModelSources;
  readonly #options: TierModelOptions;
  readonly #featureGraph: FeatureGraph;
  readonly #heads: HeadCache;
  readonly #models = new Map<string, Promise<TierModel>>();

  constructor(
    catalog: CatalogReader,
    sources: ModelSources,
    options: TierModelOptions,
    featureGraph: FeatureGraph,
  ) {
    this.#catalog = catalog;
    this.#sources = sources;
    this.#options = options;
    this.#featureGraph = featureGraph;
    this.#heads = new HeadCache(sources, createNodeSha256, maxTierHeadsBytes);
  }

  /**
   * @param version undefined for what the name means now.
   * @throws {CodedError} `model_*`.
   */
  async get(name: string | undefined, version?: string): Promise<TierNetwork> {
    const manifest = await this.#catalog.readManifest(name, version);
    const { backbone } = manifest;
    if (!backbone) return await this.#keep(manifest, false);
    const [network, head, labels] = await Promise.all([
      this.#catalog.readManifest(backbone.name, backbone.version).then((own) => this.#keep(own, true)),
      this.#heads.read(manifest),
      this.#catalog.readLabels(manifest),
    ]);
    return new TierHead(manifest, labels, head, network);
  }

  async #keep(manifest: ModelManifest, wantsFeatures: boolean): Promise<TierModel> {
    const key = `${manifest.name}/${manifest.version}${wantsFeatures ? ' features' : ''}`;
    let loading = this.#models.get(key);
    if (!loading) {
      loading = this.#load(manifest, wantsFeatures);
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

  async #load(manifest: ModelManifest, wantsFeatures: boolean): Promise<TierModel> {
    const labels = await this.#catalog.readLabels(manifest);
    const [provider] = this.#options.executionProviders;
    const { kind, modelFile } = pickFile(manifest, wantsFeatures ? featureKinds : toKinds(provider));
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
    const { output: featuresOutput, attach } = this.#featureGraph;
    const network = !wantsFeatures
      ? { kind, bytes: shared }
      : {
          kind,
          bytes: kind === 'onnx' ? toShared(attach(new Uint8Array(shared).slice())) : shared,
          featuresOutput,
        };
    return await TierModel.load(manifest, labels, network, this.#options);
  }
}

function toShared(bytes: Uint8Array): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(bytes.byteLength);
  new Uint8Array(shared).set(bytes);
  return shared;
}

/** A head has learned from the int8 network's features, so it gets only these. */
const featureKinds: readonly FileKind[] = ['onnx', 'rni8'];

/** File kinds in the order of preference. A CPU is fastest on int8. A GPU is fastest on float, and takes int8 last. */
const toKinds = (provider: string | undefined): readonly FileKind[] =>
  provider === undefined || provider === 'cpu'
    ? ['onnx', 'ort', 'rni8', 'onnx_fp32', 'onnx_fp16']
    : ['onnx_fp16', 'onnx_fp32', 'onnx', 'ort', 'rni8'];

function pickFile(
  { name, files }: ModelManifest,
  kinds: readonly FileKind[],
): { kind: FileKind; modelFile: ModelFile } {
  for (const kind of kinds) {
    const modelFile = files[kind];
    if (modelFile) return { kind, modelFile };
  }
  throw new CodedError('model_manifest_invalid', `${name} has no file that the tier runs.`);
}
