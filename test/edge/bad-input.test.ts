import { readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  bodyIdleTimeoutMs,
  bodyStepBytes,
  bodyTimeoutMs,
  maxBodyBytes,
  maxDrainBytes,
  maxDrainMs,
  maxInputTextBytes,
} from '../../src/limits.ts';
import { goldenPath } from '../golden/golden.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';
import { readMetric } from './read-metric.ts';

let edge: EdgeServer;
let photo: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  edge = await startEdge();
  photo = new Uint8Array(await readFile(goldenPath('cat.jpg')));
});
afterAll(() => edge?.stop());

async function expectProblem(response: Response, status: number, code: string): Promise<void> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = await response.json();
  expect(problem).toMatchObject({ status, code, type: `urn:resnet-edge:problem:${code}` });
  expect(problem).toHaveProperty('title');
  expect(problem).toHaveProperty('detail');
  expect(problem).toHaveProperty('request_id', response.headers.get('x-request-id'));
  expect(response.status).toBe(status);
}

const postRaw = (body: BodyInit | null, type = 'image/jpeg') =>
  edge.fetch('/v1/classify', { method: 'POST', body, headers: { 'content-type': type } });

const postJson = (body: unknown) =>
  postRaw(typeof body === 'string' ? body : JSON.stringify(body), 'application/json');

/** Header bytes only: decoding must be refused before anything is allocated for it. */
function pngHeader(width: number, height: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(64);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]);
  const view = new DataView(bytes.buffer);
  view.setUint32(16, width);
  view.setUint32(20, height);
  bytes.set([8, 2, 0, 0, 0], 24);
  return bytes;
}

describe('a bad body', () => {
  it('empty', async () => expectProblem(await postRaw(null), 400, 'body_empty'));
  it('text sent as an image', async () => expectProblem(await postRaw('hello'), 415, 'image_format_unknown'));
  it('text sent as text', async () =>
    expectProblem(await postRaw('hello', 'text/plain'), 415, 'image_format_unknown'));
  it('JSON under the type that curl -d gives it', async () => {
    const response = await postRaw(
      '{"url":"https://img.example/cat.jpg"}',
      'application/x-www-form-urlencoded',
    );
    expect(await response.clone().text()).toContain('application/json');
    await expectProblem(response, 415, 'media_type_unsupported');
  });
  it('packed, to /v1/batches, where a body is stored while it comes', async () => {
    const body = new Uint8Array(gzipSync('{"image":"aGk="}'));
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    await expectProblem(
      await edge.fetch('/v1/batches', { method: 'POST', body, headers }),
      415,
      'media_type_unsupported',
    );
  });
  it('random bytes', async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(5000));
    bytes[0] = 0x01;
    await expectProblem(await postRaw(bytes), 415, 'image_format_unknown');
  });
  it('a truncated JPEG', async () =>
    expectProblem(await postRaw(photo.slice(0, photo.length / 2)), 422, 'image_truncated'));
  it('a JPEG cut within its headers', async () => {
    const response = await postRaw(photo.slice(0, 100));
    await expectProblem(response, 422, 'image_truncated');
  });
  it('a truncated PNG', async () => {
    const png = new Uint8Array(await readFile(goldenPath('coffee.png')));
    await expectProblem(await postRaw(png.slice(0, png.length / 2)), 422, 'image_truncated');
  });
  it('too many pixels, declared by a tiny file', async () =>
    expectProblem(await postRaw(pngHeader(60_000, 60_000)), 413, 'image_too_many_pixels'));
  it('zero pixels', async () => expectProblem(await postRaw(pngHeader(0, 10)), 422, 'image_malformed'));
  it('an AVIF that is cut', async () => {
    const avif = new Uint8Array(64);
    avif.set([0, 0, 0, 28, ...Buffer.from('ftypavif')]);
    await expectProblem(await postRaw(avif), 422, 'image_truncated');
  });
});

describe('a body over the limit', () => {
  it('with an honest Content-Length', async () =>
    expectProblem(await postRaw(new Uint8Array(maxBodyBytes + 1)), 413, 'body_too_large'));

  it('without a Content-Length', async () => {
    let sent = 0;
    const endless = new ReadableStream({
      pull(controller) {
        sent += 65536;
        if (sent > maxBodyBytes + 1_000_000) controller.close();
        else controller.enqueue(new Uint8Array(65536));
      },
    });
    const response = await edge.fetch('/v1/classify', {
      method: 'POST',
      body: endless,
      headers: { 'content-type': 'image/jpeg' },
      duplex: 'half',
    } as RequestInit);
    await expectProblem(response, 413, 'body_too_large');
  });

  it('takes a body of exactly the limit as far as the decoder', async () =>
    expectProblem(await postRaw(new Uint8Array(maxBodyBytes)), 415, 'image_format_unknown'));

  it.each([
    ['too small: the rest is not taken for the image', 10],
    ['too large: the server does not wait for ever', 1_000_000],
  ])('a Content-Length that lies, %s', async (_, declared) => {
    const { hostname, port } = new URL(edge.url);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = new Socket();
      let text = '';
      socket.setTimeout(20_000, () => reject(new Error('hang')));
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
        if (text.includes('\r\n\r\n')) socket.end();
      });
      socket.on('close', () => resolve(text));
      socket.on('error', reject);
      socket.connect(Number(port), hostname, () => {
        socket.write(
          `POST /v1/classify HTTP/1.1\r\nhost: x\r\ncontent-type: image/jpeg\r\ncontent-length: ${declared}\r\n\r\n`,
        );
        socket.write(photo);
        if (declared > photo.length) setTimeout(() => socket.end(), 300);
      });
    });
    // A client that closed half-way gets whatever the connection still carries: nobody reads it.
    if (declared < photo.length) expect(answer).toMatch(/^HTTP\/1.1 422 .*image_truncated/s);
    // The server is still well.
    expect((await postRaw(photo)).status).toBe(200);
  });
});

describe('a body that goes on after it was refused', () => {
  it.each([
    ['by its first line', 'no JSON', 400, 'json_invalid'],
    ['by a line without an end', 'x'.repeat(maxInputTextBytes + 1), 413, 'body_too_large'],
  ])('a batch, %s: the client reads why', async (_, head, status, code) => {
    const body = `${head}\n${'x'.repeat(20_000_000)}`;
    const headers = { 'content-type': 'application/x-ndjson' };
    await expectProblem(await edge.fetch('/v1/batches', { method: 'POST', body, headers }), status, code);
  });
  it('is cut off, and the server goes on', async () => {
    let left = maxBodyBytes + maxDrainBytes + 20_000_000;
    const tooLong = new ReadableStream({
      pull(controller) {
        left -= 65536;
        if (left < 0) controller.close();
        else controller.enqueue(new Uint8Array(65536));
      },
    });
    await edge
      .fetch('/v1/classify', { method: 'POST', body: tooLong, duplex: 'half' } as RequestInit)
      .catch(() => 'reset, as a connection that is cut off may be');
    expect((await postRaw(photo)).status).toBe(200);
  });
});

describe('a body that never comes', () => {
  it.each([
    ['POST', '/v1/classify', 415, 'media_type_unsupported'],
    ['POST', '/v1/batches', 408, 'body_timeout'],
    ['POST', '/v1/webhooks/nobody', 404, 'webhook_source_unknown'],
    ['POST', '/nowhere', 404, 'route_not_found'],
    ['PUT', '/v1/classify', 405, 'method_not_allowed'],
    ['GET', '/v1/models', 200, 'resnet18-imagenet1k'],
  ])('%s %s is answered all the same', { concurrent: true }, async (method, path, status, text) => {
    const { hostname, port } = new URL(edge.url);
    const socket = new Socket().setTimeout(maxDrainMs + 40_000, () => socket.destroy(new Error('hang')));
    socket.connect(Number(port), hostname, () =>
      socket.write(
        `${method} ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\ncontent-length: 1000\r\n\r\n{`,
      ),
    );
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} .*${text}`, 's'));
  });
});

describe('a large body that hardly moves', () => {
  it.each([
    ['from its start holds a step alone, and a small one passes', 1, bodyStepBytes, 0],
    ['once a quarter is there loses its place to another large one', maxBodyBytes / 4, maxBodyBytes, 2e6],
  ])('%s', async (_, sentBytes, heldBytes, othersPadding) => {
    const { hostname, port } = new URL(edge.url);
    const socket = new Socket();
    socket.on('error', () => undefined);
    socket.connect(Number(port), hostname, () => {
      socket.write(`POST /v1/classify HTTP/1.1\r\nhost: x\r\ncontent-length: ${maxBodyBytes}\r\n\r\n`);
      socket.write(Buffer.alloc(sentBytes));
    });
    // It is never silent for long: only its pace can cost it its place before the other one's deadline.
    const drip = setInterval(() => socket.write('x'), bodyIdleTimeoutMs / 10);
    try {
      await expect.poll(() => readMetric(edge, 'resnet_edge_body_bytes_in_flight')).toBe(heldBytes);
      const other = await edge.fetch('/v1/classify', {
        method: 'POST',
        body: Buffer.concat([photo, Buffer.alloc(othersPadding)]),
        headers: { prefer: `wait=${bodyTimeoutMs / 1000 - 5}` },
      });
      expect(other.status).toBe(200);
    } finally {
      clearInterval(drip);
      socket.destroy();
    }
  });
});

describe('bad JSON', () => {
  it.each([
    ['not JSON', '{"image": ', 'json_invalid'],
    ['an array', [], 'json_invalid'],
    ['null', null, 'json_invalid'],
    ['no image', {}, 'json_invalid'],
    ['a number for an image', { image: 5 }, 'json_invalid'],
    ['an unknown field', { image: 'aGk=', topk: 5 }, 'json_invalid'],
    ['bad base64', { image: '@@@@' }, 'base64_invalid'],
    ['a data: URL that is not base64', { image: 'data:image/png,abc' }, 'base64_invalid'],
    ['an empty image', { image: 'data:image/png;base64,' }, 'body_empty'],
  ])('%s', async (_, body, code) => expectProblem(await postJson(body), 400, code));

  it('of a hundred thousand keys: it does not come back as an error of megabytes', async () => {
    const keys = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`key${i}`, 1]));
    const response = await postJson(keys);
    const text = await response.clone().text();
    await expectProblem(response, 400, 'json_invalid');
    expect(text.length).toBeLessThan(2000);
  });
  it('base64 of something that is no image', async () =>
    expectProblem(await postJson({ image: 'aGVsbG8=' }), 415, 'image_format_unknown'));
});

describe('bad multipart', () => {
  const postForm = (form: FormData, path = '/v1/classify/form') =>
    edge.fetch(path, { method: 'POST', body: form });

  it('the wrong field name', async () => {
    const form = new FormData();
    form.append('file', new Blob([photo]), 'cat.jpg');
    await expectProblem(await postForm(form), 400, 'image_field_missing');
  });
  it('a text field instead of a file', async () => {
    const form = new FormData();
    form.append('image', 'cat.jpg');
    await expectProblem(await postForm(form), 400, 'image_field_missing');
  });
  it('17 files', async () => {
    const form = new FormData();
    for (let index = 0; index < 17; index++) form.append('image', new Blob([photo]), `${index}.jpg`);
    await expectProblem(await postForm(form), 413, 'too_many_images');
  });
  it('two files where one is answered: the answer would have another shape', async () => {
    const form = new FormData();
    for (const name of ['a.jpg', 'b.jpg']) form.append('image', new Blob([photo]), name);
    await expectProblem(await postForm(form, '/v1/classify'), 413, 'too_many_images');
  });
  it.each([
    ['/v1/classify/form', 'image/jpeg'],
    ['/v1/classify/form', 'application/json'],
    ['/v1/classify/json', 'image/jpeg'],
    ['/v1/classify/json', 'multipart/form-data; boundary=x'],
  ])('%s with a body of type %s', async (path, type) =>
    expectProblem(
      await edge.fetch(path, { method: 'POST', body: photo, headers: { 'content-type': type } }),
      415,
      'media_type_unsupported',
    ),
  );
  it('no boundary', async () =>
    expectProblem(await postRaw(photo, 'multipart/form-data'), 400, 'multipart_invalid'));
  it('a boundary that never comes', async () =>
    expectProblem(await postRaw(photo, 'multipart/form-data; boundary=x'), 400, 'multipart_invalid'));
});

describe('bad options', () => {
  it.each(['0', '1001', 'x', '-1', '1.5', '', '1e2', '99999999999'])('top_k=%s', async (value) => {
    const response = await edge.fetch(`/v1/classify?top_k=${value}`, { method: 'POST', body: photo });
    await expectProblem(response, 400, 'option_invalid');
  });
  it('top_k in JSON', async () =>
    expectProblem(await postJson({ image: 'aGk=', top_k: 0 }), 400, 'option_invalid'));
  it.each(['orientation=up', 'decode=quick', 'strict=1'])('%s', async (option) => {
    const response = await edge.fetch(`/v1/classify?${option}`, { method: 'POST', body: photo });
    await expectProblem(response, 400, 'option_invalid');
  });
  it('an unknown model', async () => {
    const response = await edge.fetch('/v1/classify?model=resnet9000', { method: 'POST', body: photo });
    await expectProblem(response, 404, 'model_unknown');
    await expectProblem(await edge.fetch('/v1/models/resnet9000'), 404, 'model_unknown');
  });
  it('a model name that walks the store', async () => {
    const response = await edge.fetch('/v1/classify?model=..%2f..%2fcatalog.json', {
      method: 'POST',
      body: photo,
    });
    await expectProblem(response, 404, 'model_unknown');
  });
});

describe('a bad path or method', () => {
  it('an unknown path', async () => expectProblem(await edge.fetch('/v1/nothing'), 404, 'route_not_found'));
  it.each(['PUT', 'DELETE', 'PATCH'])('%s on /v1/classify', async (method) => {
    const response = await edge.fetch('/v1/classify', { method });
    expect(response.headers.get('allow')).toBe('GET, HEAD, POST');
    await expectProblem(response, 405, 'method_not_allowed');
  });
});
