/**
 * A copy, in the bucket, of the shipped catalogue that the bucket was brought up to last. It tells a name that was
 * promoted by a person from one that just has not followed yet.
 */
export const shippedCatalogKey = 'catalog.shipped.json';

interface Catalog {
  readonly default_model: string;
  readonly models: readonly { readonly name: string; readonly version: string }[];
  readonly aliases?: Readonly<Record<string, string>>;
}

/**
 * The catalogue of a bucket after an update of the shipped one: a name follows, unless somebody promoted it to another
 * version than the last shipped one; the same for the default model. Names that only the bucket has stay.
 *
 * @param before what `shippedCatalogKey` holds.
 * @returns JSON; `stored` itself if nothing changes.
 */
export function mergeCatalog(
  shipped: string,
  stored: string | undefined,
  before: string | undefined,
): string {
  if (stored === undefined) return shipped;
  const next: Catalog = JSON.parse(shipped);
  const kept: Catalog = JSON.parse(stored);
  const last: Catalog | undefined = before === undefined ? undefined : JSON.parse(before);
  const versions = new Map(kept.models.map(({ name, version }) => [name, version]));
  const lastVersions = new Map(last?.models.map(({ name, version }) => [name, version]));
  for (const { name, version } of next.models) {
    const current = versions.get(name);
    if (current === undefined || current === lastVersions.get(name)) versions.set(name, version);
  }
  const merged: Catalog = {
    default_model: kept.default_model === last?.default_model ? next.default_model : kept.default_model,
    models: Array.from(versions, ([name, version]) => ({ name, version })),
    // Where somebody pointed them; nothing that is shipped points any.
    ...(kept.aliases && { aliases: kept.aliases }),
  };
  const { default_model, models, aliases } = kept;
  return JSON.stringify(merged) === JSON.stringify({ default_model, models, ...(aliases && { aliases }) })
    ? stored
    : `${JSON.stringify(merged, undefined, 2)}\n`;
}
