import { maxBodyBytes } from '../../src/limits.ts';
import { type Attack, holdConnection, keepBusy, toHead } from './attack.ts';

const chunked = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
const oneSpace = { text: '1\r\n \r\n', everyMs: 1000 };

/** Few bytes, many connections, much patience. */
export const slowBodies: readonly Attack[] = [
  {
    name: '20 JSON bodies that drip a byte a second',
    run: (target) =>
      keepBusy(target, 20, () => holdConnection(target, toHead('/v1/classify', chunked), oneSpace)),
  },
  {
    name: '8 bodies of 20 MiB that are declared and silent',
    run: (target) =>
      keepBusy(target, 8, () =>
        holdConnection(
          target,
          toHead('/v1/classify', { 'content-type': 'image/jpeg', 'content-length': `${maxBodyBytes}` }),
        ),
      ),
  },
  {
    name: 'a chunked JSON body at 190 kB/s',
    run: (target) =>
      keepBusy(target, 1, () => {
        const piece = ' '.repeat(95_000);
        const text = `${piece.length.toString(16)}\r\n${piece}\r\n`;
        return holdConnection(target, toHead('/v1/classify', chunked), { text, everyMs: 500 });
      }),
  },
  {
    name: '20 bodies that drip to a webhook, without a signature',
    run: (target) =>
      keepBusy(target, 20, () => holdConnection(target, toHead('/v1/webhooks/shop', chunked), oneSpace)),
  },
  {
    name: '20 batches that drip',
    run: (target) =>
      keepBusy(target, 20, () =>
        holdConnection(
          target,
          toHead('/v1/batches', { 'content-type': 'application/x-ndjson', 'transfer-encoding': 'chunked' }),
          oneSpace,
        ),
      ),
  },
  {
    name: '20 examples for a classifier that drip',
    run: (target) =>
      keepBusy(target, 20, () => holdConnection(target, toHead('/v1/classifiers', chunked), oneSpace)),
  },
  {
    name: '50 connections whose headers never end',
    run: (target) =>
      keepBusy(target, 50, () =>
        holdConnection(target, 'POST /v1/classify HTTP/1.1\r\nhost: 127.0.0.1\r\n', {
          text: 'x-a: b\r\n',
          everyMs: 1000,
        }),
      ),
  },
  {
    name: '8 pictures at a URL that says nothing',
    run: (target) =>
      keepBusy(target, 8, async () => {
        const url = `${target.silentOrigin}/${Math.random()}.jpg`;
        const path = `${target.origin}/v1/classify?url=${encodeURIComponent(url)}`;
        await (await fetch(path, { signal: target.signal })).text();
      }),
  },
];
