import { describe, expect, it, vi } from 'vitest';
import { readBytes } from '../../../src/lib/net/read-bytes.ts';
import { bodyTimeoutMs, maxDrainMs } from '../../../src/limits.ts';

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
      readBytes(request, 4096, { paceMs: () => (isWanted ? bodyTimeoutMs : undefined) }).catch(ended);
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
      const read = readBytes(request, 4096, { paceMs: () => bodyTimeoutMs });
      await vi.advanceTimersByTimeAsync(25_000);
      expect((await read).byteLength).toBe(4000);
    } finally {
      vi.useRealTimers();
    }
  });
  it('holds in steps what comes, and all of a body once a quarter of it is there', async () => {
    const parts = [30_000, 30_000, 60_000, 80_000].map((length) => new Uint8Array(length));
    const read = async (headers: HeadersInit) => {
      const holds: number[] = [];
      const allocated: number[] = [];
      const body = await readBytes(post(parts, headers), 1_000_000, {
        hold: async (bytes) => void holds.push(bytes),
        allocate(bytes) {
          expect(holds.at(-1)).toBe(bytes);
          allocated.push(bytes);
          return new Uint8Array(bytes);
        },
      });
      expect(body.byteLength).toBe(200_000);
      return { holds, allocated };
    };
    expect(await read({})).toEqual({ holds: [32_768, 65_536, 131_072, 212_992], allocated: [] });
    expect(await read({ 'content-length': '200000' })).toEqual({
      holds: [32_768, 200_000],
      allocated: [200_000],
    });
  });
  it('ends a body that is refused its place', async () => {
    const cancel = vi.fn();
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(100_000)),
      cancel,
    });
    const request = new Request('http://x/', { method: 'POST', body, duplex: 'half' } as RequestInit);
    const hold = () => Promise.reject(new Error('no room'));
    await expect(readBytes(request, 1_000_000, { hold })).rejects.toThrow('no room');
    expect(cancel).toHaveBeenCalled();
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
