import type { OnnxModel } from '../../toolchain/onnx/onnx-graph.ts';

/** Who seems to have exported a model, and what follows. */
export interface Guess {
  /** As a person would call it. */
  readonly exporter: string;
  /** Of model-assets/sources.json. */
  readonly preset: string;
  readonly reason: string;
}

/** Guesses the preprocessing from what the file says of its exporter. Said aloud, because it may be wrong. */
export function guessExporter({ producerName, producerVersion, graph }: OnnxModel): Guess {
  const exporter = [producerName || 'unknown', producerVersion].filter(Boolean).join(' ');
  const input = graph.inputs[0]?.name ?? '';
  const of = (preset: string, reason: string) => ({ exporter, preset, reason });
  if (input === 'pixel_values') {
    return of('hugging-face', 'an input called pixel_values is from transformers');
  }
  if (/^(tf2onnx|keras)/i.test(producerName)) {
    return of(
      'keras',
      `${producerName} exports Keras; keras is for ResNet50, 101 and 152, keras-v2 for their V2`,
    );
  }
  if (/^(mxnet|onnx-mxnet)/i.test(producerName) || (producerName === '' && input === 'data')) {
    return of('onnx-zoo', "an input called data is the ONNX Model Zoo's");
  }
  return of(
    'torchvision-v1',
    /^pytorch/i.test(producerName)
      ? "PyTorch's file does not say who trained the network; timm, torchvision-v2 and others have presets of their own"
      : 'the file does not say who made it',
  );
}
