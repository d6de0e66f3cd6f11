import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignatureV4 } from '@smithy/signature-v4';

/** Of a test. */
export const s3Credentials = { accessKeyId: 'tester', secretAccessKey: 'not much of a secret' };

export interface LoopbackS3 {
  readonly endpoint: string;
  readonly bucket: string;
  readonly objects: Map<string, Uint8Array>;
  /** Statuses to answer with instead, one a request. */
  faults: number[];
  close(): void;
}

/**
 * The part of S3 that reading needs, on loopback: `GET /bucket/key`. Every request's signature is checked by
 * signing it again with AWS's own library, which the code under test does not use.
 */
export async function startLoopbackS3(): Promise<LoopbackS3> {
  const server = createServer(async (request, answer) => {
    const fault = s3.faults.shift();
    if (fault !== undefined) return answer.writeHead(fault).end();
    if (!(await isSigned(request))) return answer.writeHead(403).end('<Code>SignatureDoesNotMatch</Code>');
    const bytes = s3.objects.get(decodeURIComponent(request.url!));
    if (!bytes) return answer.writeHead(404).end('<Code>NoSuchKey</Code>');
    return answer.writeHead(200, { 'content-length': bytes.byteLength }).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const s3: LoopbackS3 = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bucket: 'models',
    objects: new Map(),
    faults: [],
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return s3;
}

async function isSigned({ method, url, headers }: IncomingMessage): Promise<boolean> {
  const given = headers.authorization ?? '';
  const [, scope = '', names = ''] = /Credential=[^/]+\/([^,]+), *SignedHeaders=([^,]+)/.exec(given) ?? [];
  const [, region = '', service = ''] = scope.split('/');
  const date = String(headers['x-amz-date']).replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5');
  const signer = new SignatureV4({
    credentials: s3Credentials,
    region,
    service,
    sha256: Sha256,
    uriEscapePath: false,
  });
  const { pathname, searchParams } = new URL(url!, 'http://loopback');
  const signed = await signer.sign(
    {
      method: method!,
      protocol: 'http:',
      hostname: String(headers.host),
      path: pathname,
      query: Object.fromEntries(searchParams),
      headers: Object.fromEntries(names.split(';').map((name) => [name, String(headers[name])])),
    },
    { signingDate: new Date(date) },
  );
  const signatureOf = (authorization = '') => /Signature=(\w+)/.exec(authorization)?.[1];
  return names !== '' && signatureOf(signed.headers['authorization']) === signatureOf(given);
}

/** The hash that the library asks for, by Node. */
class Sha256 {
  readonly #hash;

  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', toBytes(key));
  }

  update(chunk: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(toBytes(chunk));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error('not asked for');
  }
}

function toBytes(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return new TextEncoder().encode(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
