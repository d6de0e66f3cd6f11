import { open, rm, stat } from 'node:fs/promises';
import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';

/** A source that is silent for so long is given up; a whole download may take as long as the network needs. */
const idleTimeoutMs = 60_000;
const maxRedirects = 5;
/** Tries in a row that bring not one byte more. */
const maxIdleTries = 3;

export interface Download {
  readonly url: string;
  /** Where the bytes go; what is there already is kept. */
  readonly path: string;
  /** Bytes of the whole. */
  readonly total: number;
  /** Told how many bytes there are now. */
  readonly onProgress: (bytes: number) => void;
  /** Waited between two tries. Default: a second. */
  readonly pauseMs?: number;
}

/**
 * Downloads what is missing of a file. Where the server closes the connection too early it goes on from there, as long
 * as a try brings something.
 *
 * @throws {Error} saying what happened, in a sentence: the file keeps what came.
 */
export async function download({ url, path, total, onProgress, pauseMs = 1000 }: Download): Promise<void> {
  let have = await sizeOf(path);
  for (let idleTries = 0; have < total; ) {
    const failure = await downloadOnce(url, path, have, total, onProgress).catch(toReason);
    const now = await sizeOf(path);
    idleTries = now > have ? 0 : idleTries + 1;
    have = now;
    if (failure instanceof TooLong) {
      await rm(path);
      throw failure;
    }
    if (have >= total) return;
    if (failure instanceof Unreachable || idleTries >= maxIdleTries) {
      throw new Error(toMessage(url, have, total, failure));
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** The server is not there, or will not give the file: another try gives the same. */
class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** It is another file. */
class TooLong extends Error {
  override readonly name = 'TooLong';
}

function toReason(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}

function toMessage(url: string, have: number, total: number, failure: Error | undefined): string {
  if (failure instanceof Unreachable) return failure.message;
  const reason = failure ? failure.message : 'the server closed the connection';
  return `${url} broke off after ${have} of ${total} bytes (${reason}), ${maxIdleTries} times. Run the command again to go on from there.`;
}

async function downloadOnce(
  url: string,
  path: string,
  have: number,
  total: number,
  onProgress: (bytes: number) => void,
): Promise<undefined> {
  const response = await request(url, have, maxRedirects);
  const isRest = response.statusCode === 206;
  const file = await open(path, isRest ? 'a' : 'w');
  let done = isRest ? have : 0;
  try {
    for await (const chunk of response) {
      done += (chunk as Buffer).byteLength;
      if (done > total) {
        throw new TooLong(`${url} is longer than the ${total} bytes of the catalogue. Nothing was kept.`);
      }
      await file.write(chunk as Buffer);
      onProgress(done);
    }
  } finally {
    response.destroy();
    await file.close();
  }
  return undefined;
}

function request(url: string, from: number, redirects: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const get = new URL(url).protocol === 'http:' ? getHttp : getHttps;
    const sent = get(url, { headers: from > 0 ? { range: `bytes=${from}-` } : {} }, (response) => {
      const { statusCode = 0, statusMessage, headers } = response;
      if (statusCode === 200 || statusCode === 206) return resolve(response);
      response.resume();
      if (statusCode >= 300 && statusCode < 400 && headers.location && redirects > 0) {
        return resolve(request(new URL(headers.location, url).href, from, redirects - 1));
      }
      // A server that is only busy may answer the next try.
      const Failure = statusCode >= 500 || statusCode === 429 ? Error : Unreachable;
      reject(new Failure(`${url} answered ${statusCode} ${statusMessage ?? ''}`.trim()));
    });
    sent.setTimeout(idleTimeoutMs, () => sent.destroy(new Error('silent for a minute')));
    sent.on('error', (cause: NodeJS.ErrnoException) => {
      const isCut = cause.code === 'ECONNRESET' || cause.message.startsWith('silent');
      const advice = 'Is there a network? A mirror can be named with --mirror URL or RESNET_EDGE_MIRROR.';
      reject(
        isCut ? cause : new Unreachable(`Cannot reach ${url} (${cause.message || cause.code}). ${advice}`),
      );
    });
  });
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}
