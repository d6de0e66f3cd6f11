import webpWasm from '@jsquash/webp/codec/dec/webp_dec.wasm';
import { createCacheApiAnswers } from '../src/classify/answers/cache-api-answers.ts';
import { Classifier, type ClassifierServices } from '../src/classify/classifier.ts';
import { createCloudflareImagesTranscode } from '../src/classify/cloudflare-images.ts';
import { Gate } from '../src/classify/gate.ts';
import { PixelRoutines } from '../src/image/pixel-arena.ts';
import pixelRoutines from '../src/image/pixel-routines.wasm';
import type { Metrics } from '../src/lib/observe/metrics.ts';
import { writeLog } from '../src/lib/observe/write-log.ts';
import { maxHoldMs, maxWaitingRequests } from '../src/limits.ts';
import type { PhoneFormats } from './phone-formats.ts';
import type { Settings } from './settings.ts';

export interface ClassifyParts
  extends Pick<ClassifierServices, 'catalog' | 'sessions' | 'heads' | 'delegate'> {
  readonly settings: Settings;
  readonly metrics: Metrics;
  readonly formats: PhoneFormats;
}

/** Makes the classifier of this isolate, with its decoders and remembered answers, and Cloudflare Images if it is bound. */
export function composeClassify(
  { IMAGES: images }: { readonly IMAGES?: ImagesBinding },
  { settings, metrics, formats, ...services }: ClassifyParts,
): Classifier {
  return new Classifier({
    ...services,
    decoding: new Gate({ capacity: 1, maxWaiting: maxWaitingRequests, maxHoldMs }),
    image: { loadWebpModule: () => webpWasm, ...formats, routines: new PixelRoutines(pixelRoutines) },
    ...(images && { transcode: createCloudflareImagesTranscode(images) }),
    ...(settings.answerCacheSeconds > 0 && {
      answers: createCacheApiAnswers(caches.default, settings.answerCacheSeconds),
    }),
    onDelegated: (reason, outcome) => metrics.add('resnet_edge_delegated_images_total', { reason, outcome }),
    onWarning: (event, error) => writeLog('error', { event, error }),
  });
}
