import { CodedError } from '../src/errors.ts';
import { createWorker } from './edge-worker.ts';

/** The Worker for deployments whose models all run on the int8 engine: a small fraction of the upload. */
export default createWorker(async () => {
  throw new CodedError(
    'model_manifest_invalid',
    'This deployment has the int8 engine alone; the model needs onnxruntime-web.',
  );
});
