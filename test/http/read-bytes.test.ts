import { describe, expect, it, vi } from 'vitest';
import { readBytes } from '../../src/http/read-bytes.ts';
import { maxDrainMs } from '../../src/limits.ts';

function post(chunks: readonly Uint8Array[], headers: HeadersInit = {}): Request {
  const body = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  return new Request('http://x/', { method: 'POST', body, headers, duplex: 'half' } as RequestInit);
}

const bytes = Uint8Array.from({ length: 1000 }, (_, index) => index & 255);
const pieces = [bytes.subarray(0, 10), bytes.subarray(10, 900), bytes.subarray(900)];

describe('readBytes', () => {
  it.each([
    ['absent', {}],
    ['right', { 'content-length': '1000' }],
    ['too small', { 'content-length': '5' }],
    ['too small, by the last chunk', { 'content-length': '950' }],
    ['too large', { 'content-length': '2000' }],
    ['not a number', { 'content-length': 'x' }],
  ])('gives every byte when Content-Length is %s', async (_, headers) => {
    expect(await readBytes(post(pieces, headers), 4096)).toEqual(bytes);
  });
  it('takes exactly the limit and refuses one byte more', async () => {
    expect(await readBytes(post(pieces), 1000)).toEqual(bytes);
    await expect(readBytes(post(pieces), 999)).rejects.toMatchObject({ code: 'body_too_large' });
  });
  it('refuses by the declared length before it reads', async () => {
    const request = post([new Uint8Array(1)], { 'content-length': '5000' });
    await expect(readBytes(request, 4096)).rejects.toMatchObject({ code: 'body_too_large' });
  });
  it('refuses in the end what is too large and never comes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    try {
      const cancel = vi.fn();
      const request = new Request('http://x/', {
        method: 'POST',
        body: new ReadableStream({ cancel }),
        headers: { 'content-length': '5000' },
        duplex: 'half',
      } as RequestInit);
      const refusal = expect(readBytes(request, 4096)).rejects.toMatchObject({ code: 'body_too_large' });
      await vi.advanceTimersByTimeAsync(maxDrainMs);
      await refusal;
      expect(cancel).toHaveBeenCalled();
    } finally {
      vi.useRealTimers();
    }
  });
  it('knows an empty body from a broken one', async () => {
    await expect(readBytes(post([]), 10)).rejects.toMatchObject({ code: 'body_empty' });
    const broken = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array(3));
      },
      pull(controller) {
        controller.error(new Error('gone'));
      },
    });
    const request = new Request('http://x/', { method: 'POST', body: broken, duplex: 'half' } as RequestInit);
    await expect(readBytes(request, 10)).rejects.toMatchObject({ code: 'body_aborted' });
  });
});
