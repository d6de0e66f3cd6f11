import type { R2Bucket } from '@cloudflare/workers-types';
import { deletePrefix } from '../../lib/delete-prefix.ts';
import { formatHeadVersion, type HeadVersion, headFile } from '../../model/format-head-version.ts';
import { toModelKey } from '../../model/model-store.ts';
import type { TaughtReport } from './lesson-report.ts';

const reportFile = 'report.json';

/** R2, the bucket of models: versions of classifiers, which are served like any other model. */
export class HeadStore {
  readonly #bucket: R2Bucket;

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket;
  }

  async put(head: HeadVersion, report: TaughtReport): Promise<void> {
    const keyOf = (file: string) => toModelKey(head.name, head.version, file);
    await this.#bucket.put(keyOf(reportFile), JSON.stringify(report));
    for (const [file, bytes] of await formatHeadVersion(head)) await this.#bucket.put(keyOf(file), bytes);
  }

  async readReport(classifier: string, version: number): Promise<TaughtReport | undefined> {
    const object = await this.#bucket.get(toModelKey(classifier, String(version), reportFile));
    return object ? ((await object.json()) as TaughtReport) : undefined;
  }

  /** @returns the file of the head, see model/head.ts. */
  async openHead(classifier: string, version: number) {
    return (await this.#bucket.get(toModelKey(classifier, String(version), headFile))) ?? undefined;
  }

  async delete(classifier: string, version: number): Promise<void> {
    await deletePrefix(this.#bucket, toModelKey(classifier, String(version), ''));
  }

  async deleteAll(classifier: string): Promise<void> {
    await deletePrefix(this.#bucket, `${classifier}/`);
  }
}
