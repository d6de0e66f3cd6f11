/** Reads a large body of a batch, of the kind that is named, and prints what became of it. Run by batch-heap.test.ts. */
import { CodedError } from '../../src/errors.ts';
import { readBatchBody } from '../../src/http/batch-body/read-batch-body.ts';
import { createNodeSha256 } from '../../src/model/sha256-node.ts';

const [kind = ''] = process.argv.slice(2);
const part = (text: string) => new TextEncoder().encode(text);

function* arrays(megabytes: number): Generator<Uint8Array> {
  for (let index = 0; index < megabytes; index++) yield part('[],'.repeat(349_000));
}

const bodies: Readonly<Record<string, readonly [string, () => Generator<Uint8Array>]>> = {
  list: [
    'application/json',
    function* () {
      yield part('{"inputs":[');
      yield* arrays(4);
      yield part('[]]}');
    },
  ],
  largeList: [
    'application/json',
    function* () {
      yield part('{"inputs":[');
      yield* arrays(27);
      yield part('[]]}');
    },
  ],
  metadata: [
    'application/x-ndjson',
    function* () {
      yield part('{"metadata":{"a":[');
      yield* arrays(27);
      yield part('1]}}\n{"url":"https://a.example/"}');
    },
  ],
  line: [
    'application/x-ndjson',
    function* () {
      yield part('{"image":"');
      for (let index = 0; index < 26; index++) yield part('A'.repeat(1_000_000));
      yield part('"}\n');
    },
  ],
  form: [
    'multipart/form-data; boundary=b',
    function* () {
      for (let index = 0; index < 24; index++) {
        yield part(`--b\r\nContent-Disposition: form-data; name="image"; filename="${index}"\r\n\r\n`);
        for (let piece = 0; piece < 4; piece++) yield part('x'.repeat(1_000_000));
        yield part('\r\n');
      }
      yield part('--b--\r\n');
    },
  ],
};

const [type, make] = bodies[kind]!;
const parts = make();
const request = new Request('http://127.0.0.1/', {
  method: 'POST',
  headers: { 'content-type': type },
  body: new ReadableStream<Uint8Array>({
    pull(controller) {
      const { done, value } = parts.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  }),
  ...({ duplex: 'half' } as object),
});
try {
  let count = 0;
  const { inputs } = readBatchBody(request, createNodeSha256, () => async () => undefined);
  for await (const _ of inputs) count++;
  console.log(`ok ${count}`);
} catch (error) {
  if (!(error instanceof CodedError)) throw error;
  console.log(error.code);
}
