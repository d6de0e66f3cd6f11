import { describe, expect, it, vi } from 'vitest';
import { readBytes } from '../../../src/lib/net/read-bytes.ts';
import { maxDrainMs } from '../../../src/limits.ts';

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
  it.each([
    ['is silent', false, 10_000],
    ['is silent, and keeps others waiting', true, 2_250],
  ])('gives up a body that %s', async (_, isWanted, afterMs) => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'Date'] });
    try {
      const request = new Request('http://x/', {
        method: 'POST',
        body: new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(100)) }),
        headers: { 'content-length': '4000' },
        duplex: 'half',
      } as RequestInit);
      const ended = vi.fn();
      readBytes(request, 4096, undefined, () => isWanted).catch(ended);
      await vi.advanceTimersByTimeAsync(afterMs - 250);
      expect(ended).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(500);
      expect(ended).toHaveBeenCalledWith(expect.objectContaining({ code: 'body_timeout' }));
    } finally {
      vi.useRealTimers();
    }
  });
  it('lets a body go on that keeps its pace while others wait', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'Date'] });
    try {
      let sent = 0;
      const body = new ReadableStream({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 1000));
          if (sent++ < 20) controller.enqueue(new Uint8Array(200));
          else controller.close();
        },
      });
      const headers = { 'content-length': '4000' };
      const request = new Request('http://x/', {
        method: 'POST',
        body,
        headers,
        duplex: 'half',
      } as RequestInit);
      const read = readBytes(request, 4096, undefined, () => true);
      await vi.advanceTimersByTimeAsync(25_000);
      expect((await read).byteLength).toBe(4000);
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
