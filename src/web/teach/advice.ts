import type { Report } from '../service/classifiers.ts';

export interface Advice {
  /** The class of which more photos would help most. */
  readonly className: string;
  readonly reason: string;
}

/** Below this many scenes of a class there is little to learn from, and nothing to judge by. */
const fewScenes = 5;

/**
 * Which class wants photos: one with far fewer scenes than the others, else the one that is recognised worst. Scenes
 * count, not photos: ten photos of one thing in one light teach as much as one.
 *
 * @returns undefined if no class stands out.
 */
export function adviseOnPhotos({ per_class: classes }: Pick<Report, 'per_class'>): Advice | undefined {
  const byScenes = [...classes].sort((a, b) => a.scenes - b.scenes);
  const [fewest] = byScenes;
  const most = byScenes.at(-1);
  if (!fewest || !most) return undefined;
  if (fewest.scenes < fewScenes || fewest.scenes * 2 <= most.scenes) {
    const scenes = fewest.scenes === 1 ? 'one scene' : `${fewest.scenes} different scenes`;
    return { className: fewest.label, reason: `It has ${scenes}.` };
  }
  const [worst] = classes
    .flatMap(({ label, recall }) => (recall === undefined || recall >= 0.98 ? [] : [{ label, recall }]))
    .sort((a, b) => a.recall - b.recall);
  return (
    worst && {
      className: worst.label,
      reason: `${Math.round(worst.recall * 10)} in 10 of its photos are recognised.`,
    }
  );
}
