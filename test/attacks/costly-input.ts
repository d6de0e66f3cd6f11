import { crc32, deflateSync } from 'node:zlib';
import { type Attack, keepBusy, type Target } from './attack.ts';

/** A PNG of one colour, with the costliest filter. */
function makePng(side: number, bits: 8 | 16, channels: 3 | 4, interlaced: boolean): Uint8Array {
  const chunk = (type: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([bits, channels === 4 ? 6 : 2, 0, 0, interlaced ? 1 : 0], 8);
  const row = Buffer.alloc(1 + (side * channels * bits) / 8);
  row[0] = 4;
  const rows = Buffer.alloc(row.length * side * (interlaced ? 2 : 1), row);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 6 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

async function post(target: Target, path: string, body: BodyInit, headers: Record<string, string> = {}) {
  const response = await fetch(`${target.origin}${path}`, {
    method: 'POST',
    body,
    headers,
    signal: AbortSignal.any([target.signal, AbortSignal.timeout(60_000)]),
  });
  await response.text();
}

/** Small files and bodies that cost much to decode or to parse. */
export const costlyInput: readonly Attack[] = [
  {
    name: 'forms of sixteen large PNGs, a client that waits 1 s',
    async run(target) {
      const png = makePng(5600, 8, 4, false);
      await keepBusy(target, 1, async () => {
        const form = new FormData();
        for (let index = 0; index < 16; index++)
          form.append('image', new File([new Uint8Array(png)], 'a.png'));
        await post(target, '/v1/classify/form', form, { prefer: 'wait=1' });
      });
    },
  },
  {
    name: 'an interlaced PNG of 16 bits that is refused by its header',
    async run(target) {
      const png = makePng(8192, 16, 4, true);
      await keepBusy(target, 4, () => post(target, '/v1/classify', new Uint8Array(png)));
    },
  },
  {
    name: 'a batch of forty large PNGs',
    async run(target) {
      const image = Buffer.from(makePng(5600, 8, 4, false)).toString('base64');
      const lines = Array.from({ length: 40 }, () => JSON.stringify({ image })).join('\n');
      await post(target, '/v1/batches', lines, { 'content-type': 'application/x-ndjson' });
      await new Promise((resolve) => target.signal.addEventListener('abort', resolve, { once: true }));
    },
  },
  {
    name: 'JSON of millions of empty arrays',
    run: (target) => {
      const body = `{"inputs":[${'[],'.repeat(1_500_000)}[]]}`;
      return keepBusy(target, 2, () =>
        post(target, '/v1/batches', body, { 'content-type': 'application/json' }),
      );
    },
  },
  {
    name: 'tensors of the largest size',
    run: (target) => {
      const header = JSON.stringify({
        inputs: [
          {
            name: 'data',
            shape: [16, 3, 224, 224],
            datatype: 'FP32',
            parameters: { binary_data_size: 16 * 3 * 224 * 224 * 4 },
          },
        ],
      });
      const body = Buffer.concat([Buffer.from(header), Buffer.alloc(16 * 3 * 224 * 224 * 4)]);
      return keepBusy(target, 1, () =>
        post(target, '/v2/models/resnet18-imagenet1k/infer', body, {
          'inference-header-content-length': `${header.length}`,
        }),
      );
    },
  },
  {
    name: '64 files that are no images, at once',
    run: (target) =>
      keepBusy(target, 64, () => post(target, '/v1/classify', `not an image ${Math.random()}`)),
  },
];
