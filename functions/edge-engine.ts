import { createWorker } from './edge-worker.ts';
import { phoneFormats } from './phone-formats.ts';

/** The Worker for deployments whose models all run on the int8 engine. Its upload is much smaller. */
export default createWorker(undefined, phoneFormats);
