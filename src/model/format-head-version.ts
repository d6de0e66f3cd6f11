import { digestHex } from '../lib/digest.ts';
import { formatHead, type Head, packMeans } from './head.ts';
import type { ModelFile, ModelManifest } from './manifest.ts';
import { manifestFile } from './model-store.ts';

export interface HeadVersion {
  /** The model's name. */
  readonly name: string;
  readonly version: string;
  /** The version whose features the head classifies. */
  readonly backbone: ModelManifest;
  readonly head: Head;
  readonly description: string;
  /** Provenance: who made the head, and from what. */
  readonly source: string;
}

/** The parts of a lesson that a head contains. */
interface LearnedHead extends Pick<Head, 'weights' | 'biases' | 'temperature' | 'threshold'> {
  readonly minSimilarity: number;
  readonly means: readonly Float32Array[];
}

export function toHead(
  { weights, biases, temperature, threshold, minSimilarity, means }: LearnedHead,
  labels: readonly string[],
  backbone: Pick<ModelManifest, 'name' | 'version'>,
  blocks: readonly number[],
): Head {
  return {
    classes: labels.length,
    labels: [...labels],
    backbone: { name: backbone.name, version: backbone.version },
    blocks: [...blocks],
    temperature,
    threshold,
    min_similarity: minSimilarity,
    weights,
    biases,
    means: packMeans(means),
  };
}

/** File names of a head's version. */
export const headFile = 'model.rnhd';
const labelsFile = 'labels.json';

/**
 * Makes the files of a version that is a head, each with the bytes that it has in a store. The manifest comes last: if
 * files are written in this order, there is never a manifest whose files are missing.
 */
export async function formatHeadVersion({
  name,
  version,
  backbone,
  head,
  description,
  source,
}: HeadVersion): Promise<ReadonlyMap<string, Uint8Array>> {
  const encode = (text: string) => new TextEncoder().encode(text);
  const headBytes = formatHead(head);
  const { labels } = head;
  const rows = labels.map((label, class_index) => JSON.stringify({ class_index, wnid: '', label }));
  const labelBytes = encode(`[\n${rows.join(',\n')}\n]\n`);
  const { preprocess } = backbone;
  const manifest = {
    name,
    version,
    description,
    files: { head: await describe(headFile, headBytes) },
    labels: await describe(labelsFile, labelBytes),
    datatype: 'fp32',
    input: { ...backbone.input, datatype: 'FP32', layout: 'NCHW' },
    output: { name: backbone.output.name, kind: 'logits', classes: labels.length },
    preprocess: {
      resize_shortest_edge: preprocess.resizeShortestEdge,
      interpolation: preprocess.interpolation,
      ...(preprocess.resizeBy && { resize_by: preprocess.resizeBy }),
      center_crop: preprocess.centerCrop,
      ...(preprocess.cropRounding && { crop_rounding: preprocess.cropRounding }),
      rescale_factor: preprocess.rescaleFactor,
      ...(preprocess.channelOrder && { channel_order: preprocess.channelOrder }),
      mean: preprocess.mean,
      std: preprocess.std,
    },
    backbone: { name: backbone.name, version: backbone.version },
    source,
    licence: backbone.licence,
    accuracy: [],
    tier: 'edge',
  };
  return new Map([
    [headFile, headBytes],
    [labelsFile, labelBytes],
    [manifestFile, encode(`${JSON.stringify(manifest, undefined, 2)}\n`)],
  ]);
}

async function describe(file: string, bytes: Uint8Array): Promise<ModelFile> {
  return { file, bytes: bytes.length, sha256: await digestHex(bytes) };
}
