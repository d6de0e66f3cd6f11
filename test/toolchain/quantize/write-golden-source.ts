/** Writes the float model and images that make-goldens.py has onnxruntime quantize. Run once; see there. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { buildResnet } from './resnet-builder.ts';
import { smoothImages } from './smooth-images.ts';

const folder = new URL('./golden/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(
  new URL('bottleneck.onnx', folder),
  buildResnet({ opset: 13, norm: 'folded', block: 'bottleneck' }),
);
const images = smoothImages(8, 5);
const bytes = new Float32Array(images.flatMap((image) => [...image]));
writeFileSync(new URL('images.f32', folder), new Uint8Array(bytes.buffer));
