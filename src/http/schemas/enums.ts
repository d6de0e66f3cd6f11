import { z } from '@hono/zod-openapi';
import { fileKinds, runtimeNames } from '../../model/manifest.ts';
import { imageWarningCodes, imageWarnings } from '../../warnings.ts';

// Every enum of the wire has a name of its own, because generated clients make a type of each.

export const imageFormatSchema = z
  .enum(['jpeg', 'png', 'gif', 'bmp', 'tiff', 'webp', 'avif', 'heic'])
  .openapi('ImageFormat');

export const imageWarningSchema = z.enum(imageWarningCodes).openapi('ImageWarning', {
  description: Object.entries(imageWarnings)
    .map(([code, meaning]) => `\`${code}\`: ${meaning}.`)
    .join(' '),
});

export const tierSchema = z.enum(['edge', 'node']).openapi('Tier', {
  description: '`edge`: in an isolate. `node`: on the Node tier, for a model or an image beyond an isolate.',
});

export const fileKindSchema = z.enum(fileKinds).openapi('ModelFileKind');
export const runtimeSchema = z.enum(runtimeNames).openapi('ModelRuntime');
export const datatypeSchema = z.enum(['fp32', 'int8']).openapi('ModelDatatype');
export const outputKindSchema = z.enum(['logits', 'probabilities']).openapi('ModelOutputKind');
export const ownScoringSchema = z.enum(['softmax', 'sigmoid']).openapi('ModelScoring', {
  description: '`softmax`: one class is right. `sigmoid`: each class is answered for itself.',
  // Go has one name space for the constants of all enums, and the enum of Hugging Face's function has these names too.
  'x-enum-varnames': ['SCORING_SOFTMAX', 'SCORING_SIGMOID'],
});
export const resizeBySchema = z.enum(['ratio', 'factor', 'stretch']).openapi('ResizeBy');
export const cropRoundingSchema = z.enum(['half-even', 'floor']).openapi('CropRounding');
export const channelOrderSchema = z.enum(['rgb', 'bgr']).openapi('ChannelOrder');
export const interpolationSchema = z.enum(['bilinear', 'bicubic']).openapi('Interpolation');
