import { existsSync } from 'node:fs';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take half a minute and more. If one of them begins last, the other cores wait for it. */
const long = [
  'test/cli/deploy-setup.test.ts',
  'test/image/pixel-cases.test.ts',
  'test/workerd/pixel-cases.test.ts',
  'test/edge/batch-faults.test.ts',
  'test/image/memory.test.ts',
  'test/edge/cold-start.test.ts',
  'test/cli/models.test.ts',
  'test/toolchain/quantize/resnet18.test.ts',
];

const missing = long.filter((path) => !existsSync(new URL(`../${path}`, import.meta.url)));
if (missing.length > 0) throw new Error(`${import.meta.filename} names what is not there: ${missing}`);

/** Vitest's order, which a fresh checkout knows by size alone, with the long files in front. */
export class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => long.some((path) => moduleId.endsWith(path));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
