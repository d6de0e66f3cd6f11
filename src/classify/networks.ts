import { CodedError } from '../errors.ts';
import type { InferenceSession } from '../inference/session.ts';
import type { CatalogReader } from '../model/catalog-reader.ts';
import type { HeadCache } from '../model/head-cache.ts';
import type { ModelManifest } from '../model/manifest.ts';
import type { KeepAlive, SessionCache } from '../model/session-cache.ts';
import type { Scoring } from './choice.ts';
import type { Prediction } from './classification.ts';
import { toHeadSession } from './head-session.ts';
import { isUnknown } from './is-unknown.ts';

export interface NetworkServices {
  readonly catalog: CatalogReader;
  readonly sessions: SessionCache;
  /** Without a cache heads are refused. */
  readonly heads?: HeadCache;
}

/** Lends a session for as long as `use` runs. */
export type LendSession = <T>(use: (session: InferenceSession) => Promise<T>) => Promise<T>;

/** Runs models on this isolate: a model's own network, or the network of its backbone with a head behind it. */
export class Networks {
  readonly #services: NetworkServices;

  constructor(services: NetworkServices) {
    this.#services = services;
  }

  /** @returns the version whose network runs: a head's backbone, or the model itself. */
  async readBackbone(manifest: ModelManifest): Promise<ModelManifest> {
    const { backbone } = manifest;
    return backbone ? await this.#services.catalog.readManifest(backbone.name, backbone.version) : manifest;
  }

  /** Starts loading what a model runs on. Never fails: the request that needs it gets the error. */
  preload(manifest: ModelManifest, keepAlive: KeepAlive): void {
    this.readBackbone(manifest)
      .then((backbone) => this.#services.sessions.preload(backbone, keepAlive))
      .catch(() => undefined);
  }

  /**
   * Starts loading what a model needs.
   *
   * @returns lends a session that gives the model's output, or the head's if the model is a head.
   * @throws {CodedError} `model_requires_batch_tier`, and what reading a manifest or a head throws.
   */
  async prepare(manifest: ModelManifest, keepAlive: KeepAlive): Promise<LendSession> {
    const { sessions, heads } = this.#services;
    const backbone = await this.readBackbone(manifest);
    sessions.assertFits(backbone);
    sessions.preload(backbone, keepAlive);
    if (!manifest.backbone) return (use) => sessions.withSession(manifest, keepAlive, use);
    if (!heads) throw new CodedError('model_manifest_invalid', 'This deployment serves no heads.');
    const head = await heads.read(manifest);
    return (use) => sessions.withSession(backbone, keepAlive, (session) => use(toHeadSession(session, head)));
  }

  /**
   * Whether no class reaches the model's threshold, or the image shows none of a head's classes.
   *
   * @see isUnknown
   */
  async isUnknown(
    manifest: ModelManifest,
    scoring: Scoring,
    predictions: readonly Prediction[],
    similarity: number | undefined,
  ): Promise<boolean> {
    const { heads } = this.#services;
    if (predictions.length === 0) return true;
    if (!manifest.backbone || !heads || similarity === undefined) return false;
    return isUnknown(await heads.read(manifest), scoring, predictions, similarity);
  }
}
