import { readFile } from 'node:fs/promises';
import { parseHead } from '../../../model/head.ts';
import { toPath } from '../../command-line/to-path.ts';
import { defineModelCommand } from '../define-model-command.ts';
import { assertModelName } from '../model-name.ts';
import { writeHeadVersion } from '../teach/write-head-version.ts';
import { findModel } from '../workspace.ts';

/** `npm run models -- adopt`: a head that was taught elsewhere. */
export const adopt = defineModelCommand({
  summary: 'take in a head that was taught elsewhere',
  synopsis: 'adopt NAME FILE.rnhd [--base MODEL]',
  notes: `FILE.rnhd comes from GET /v1/classifiers/{id}/versions/{n}/head, or from another workspace. It becomes the next
version of NAME, which push and promote publish.

--base MODEL  its backbone here (default: the one that the file names)`,
  options: { base: { type: 'string' } },
  operands: { min: 2, max: 2 },
  async run({ base }, [given, file]) {
    const name = assertModelName(`${given}`);
    const head = parseHead(new Uint8Array(await readFile(toPath(`${file}`))));
    const origin = `${head.backbone.name}/${head.backbone.version}`;
    const { manifest: backbone } = await findModel(base ?? origin);
    const { manifest } = await writeHeadVersion(name, {
      backbone,
      head: { ...head, backbone: { name: backbone.name, version: backbone.version } },
      description: `${head.classes} classes, taught elsewhere.`,
      source: `Adopted; taught on ${origin}`,
    });
    return {
      name: `${name}/${manifest.version}`,
      classes: head.labels.join(', '),
      next: `npm run models -- push ${name} --local && npm run models -- promote ${name} ${manifest.version} --local`,
    };
  },
});
