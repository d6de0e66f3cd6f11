import { readFile, writeFile } from 'node:fs/promises';
import { parseHead } from '../../../model/head.ts';
import { attachHead } from '../../../toolchain/export/attach-head.ts';
import { toFp32 } from '../../../toolchain/export/to-fp32.ts';
import { toPath } from '../../command-line/to-path.ts';
import { UsageError } from '../../command-line/usage-error.ts';
import { locateModelFile } from '../../model-files.ts';
import { defineModelCommand } from '../define-model-command.ts';
import { findModel } from '../workspace.ts';

/** `npm run models -- export`: a model for other programs. */
export const exportModel = defineModelCommand({
  summary: 'write a model, or a head with its backbone, as one ONNX file',
  synopsis: 'export NAME --onnx FILE [--float]',
  notes: `A head is written with its backbone before it: image in, FP32 [N, classes] after softmax out. The body stays int8 in
QDQ form, which every onnxruntime runs, because the head was learned on its numbers.

--float  weights and activations as FP32, for runtimes and GPUs that gain nothing from int8: four times the size, and
         scores that differ by what the rounding of activations was`,
  options: { onnx: { type: 'string' }, float: { type: 'boolean', default: false } },
  operands: { min: 1, max: 1 },
  async run({ onnx, float }, [reference]) {
    if (onnx === undefined) throw new UsageError('--onnx FILE says where the file is written.');
    const target = toPath(onnx);
    const toWanted = (model: Uint8Array) => (float ? toFp32(model) : model);
    const { folder, manifest } = await findModel(`${reference}`);
    const name = `${manifest.name}/${manifest.version}`;
    if (!manifest.backbone) {
      await writeFile(target, toWanted(await readFile(await locateModelFile(folder, manifest, 'onnx'))));
      return { name, onnx, output: manifest.output.name, classes: manifest.output.classes };
    }
    const backbone = await findModel(`${manifest.backbone.name}/${manifest.backbone.version}`);
    const head = parseHead(new Uint8Array(await readFile(await locateModelFile(folder, manifest, 'head'))));
    const body = await readFile(await locateModelFile(backbone.folder, backbone.manifest, 'onnx'));
    await writeFile(target, toWanted(attachHead(body, head)));
    return { name, onnx, output: 'probabilities', labels: head.labels.join(', ') };
  },
});
