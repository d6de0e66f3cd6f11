import { defineCommand } from '../command-line/command.ts';
import { UsageError } from '../command-line/usage-error.ts';
import { askEach, askHelp, askOptions } from './ask-each.ts';

const layerNames = ['last', 'all'];

/** `npm run embed`: images as vectors. */
export const embed = defineCommand({
  usage: `Usage: npm run embed -- IMAGE... [--layers last|all] [--raw] [--model NAME] [--json] [--url URL]

  IMAGE         ${askHelp.image}
  --layers      last: the last block's features (default). all: those of all blocks, which tell more of texture
  --raw         as the network gives them; otherwise a vector has length 1, so that a dot product is the cosine
  --model NAME  a model of the catalogue (default: its default model)
  --json        one JSON object a line, with file, model, model_version, dimensions and embedding
  --url URL     ${askHelp.url}

Without --json the vector is shown by its first numbers. Results go to standard output, everything else to standard
error. npm run prints two lines of its own to standard output before: npx resnet-edge embed --json IMAGE... does not.
${askHelp.exit}`,
  options: {
    ...askOptions,
    layers: { type: 'string', default: 'last' },
    raw: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
  operands: { min: 1, max: Number.POSITIVE_INFINITY },
  async run({ layers, raw, model, url, json }, operands) {
    if (!layerNames.includes(layers)) throw new UsageError(`--layers must be last or all, got "${layers}".`);
    const query = new URLSearchParams({ layers, normalize: String(!raw), ...(model && { model }) });
    return await askEach({
      command: 'embed',
      path: `/v1/embeddings?${query}`,
      subject: 'a vector',
      isAnswer: hasEmbedding,
      operands,
      url,
      asJson: json,
      show: toSummary,
    });
  },
});

interface EmbeddingAnswer {
  readonly dimensions: number;
  readonly embedding: readonly number[];
}

function hasEmbedding(body: object): body is EmbeddingAnswer {
  return 'embedding' in body && Array.isArray(body.embedding);
}

function toSummary({ dimensions, embedding }: EmbeddingAnswer): string {
  const first = embedding.slice(0, 6).map((value) => value.toFixed(4));
  return `  ${dimensions} numbers: ${first.join(', ')}, ...`;
}
