import { maxTopK } from '../../limits.ts';
import { defineCommand } from '../command-line/command.ts';
import { UsageError } from '../command-line/usage-error.ts';
import { askEach, askHelp, askOptions } from './ask-each.ts';
import { type Prediction, toTable } from './to-table.ts';

/** `npm run classify`: labels in the terminal. */
export const classify = defineCommand({
  usage: `Usage: npm run classify -- IMAGE... [--top-k N] [--model NAME] [--json] [--url URL]

  IMAGE         ${askHelp.image}
  --top-k N     predictions for each image, 1 to ${maxTopK} (default 5)
  --model NAME  a model of the catalogue (default: its default model)
  --json        one JSON object a line instead of tables
  --url URL     ${askHelp.url}

Results go to standard output, everything else to standard error. npm run prints two lines of its own to standard
output before: npx resnet-edge classify --json IMAGE... prints nothing but JSON there.
${askHelp.exit}`,
  options: {
    ...askOptions,
    'top-k': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
  operands: { min: 1, max: Number.POSITIVE_INFINITY },
  run: async (values, operands) =>
    await askEach({
      command: 'classify',
      path: `/v1/classify?${toQuery(values['top-k'], values.model)}`,
      subject: 'labels',
      isAnswer: hasPredictions,
      operands,
      url: values.url,
      asJson: values.json,
      show: ({ predictions }) => toTable(predictions),
    }),
});

function hasPredictions(body: object): body is { readonly predictions: readonly Prediction[] } {
  return 'predictions' in body && Array.isArray(body.predictions);
}

function toQuery(topK: string | undefined, model: string | undefined): string {
  const parameters = new URLSearchParams();
  if (topK !== undefined) {
    if (!/^\d+$/.test(topK) || Number(topK) < 1 || Number(topK) > maxTopK) {
      throw new UsageError(`--top-k must be a whole number from 1 to ${maxTopK}, got "${topK}".`);
    }
    parameters.set('top_k', topK);
  }
  if (model !== undefined) parameters.set('model', model);
  return parameters.toString();
}
