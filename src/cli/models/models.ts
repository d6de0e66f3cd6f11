import type { CommandGroup } from '../command-line/command.ts';
import { add } from './commands/adding.ts';
import { adopt } from './commands/adopting.ts';
import { exportModel } from './commands/exporting.ts';
import { list, verify } from './commands/inventory.ts';
import { bench, evaluateModel } from './commands/judging.ts';
import { compile, importFile, pull, quantize } from './commands/making.ts';
import { promote, push } from './commands/publishing.ts';
import { teach } from './commands/teaching.ts';

const commands = {
  add,
  list,
  pull,
  import: importFile,
  quantize,
  compile,
  teach,
  adopt,
  export: exportModel,
  verify,
  push,
  promote,
  eval: evaluateModel,
  bench,
};

/** `npm run models`: from any ResNet in ONNX to a verified version in the store. */
export const models: CommandGroup = {
  usage: `Usage: npm run models -- COMMAND [options] [--json]

${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(9)} ${summary}`)
  .join('\n')}

npm run models -- COMMAND --help says more. NAME is a model's name, or NAME/VERSION; without a version it is the
newest on this machine.`,
  commands,
};
