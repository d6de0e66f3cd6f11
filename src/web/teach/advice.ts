import type { Report } from '../service/classifiers.ts';

export interface Advice {
  /** The class of which more photos would help most. */
  readonly className: string;
  readonly reason: string;
}

/** Below this many scenes of a class there is little to learn from, and nothing to judge by. */
const fewScenes = 5;

/**
 * Which class wants photos: one with very few scenes, else the one that the service names. Scenes count, not photos: ten
 * photos of one thing in one light teach as much as one.
 *
 * @returns undefined if no class stands out.
 */
export function adviseOnPhotos({
  per_class: classes,
  helps_most,
}: Pick<Report, 'per_class' | 'helps_most'>): Advice | undefined {
  const [fewest] = [...classes].sort((a, b) => a.scenes - b.scenes);
  if (fewest && fewest.scenes < fewScenes) {
    const scenes = fewest.scenes === 1 ? 'one scene' : `${fewest.scenes} different scenes`;
    return {
      className: fewest.label,
      reason: `It has only ${scenes}: show it from another side, in another light.`,
    };
  }
  const weakest = classes.find(({ label }) => label === helps_most);
  if (weakest?.recall === undefined || weakest.recall >= 0.995) return undefined;
  return {
    className: weakest.label,
    reason: `${Math.round(weakest.recall * 100)} in 100 of its photos are recognised.`,
  };
}
