import { createWorker } from './edge-worker.ts';
import { phoneFormats } from './phone-formats.ts';

/** The Worker for deployments whose models all run on the int8 engine: a small fraction of the upload. */
export default createWorker(undefined, phoneFormats);
