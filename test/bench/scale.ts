/**
 * `npm run scale`: what a deployment costs and what saturates first, from limits and prices that Cloudflare publishes and
 * from what one image takes here. It is arithmetic: nothing of it was measured on Cloudflare. docs/scale.md has its output.
 */
import { price } from './prices.ts';

/** Of Cloudflare's pages on limits, November 2026. */
const limit = {
  /** One database runs one statement after the other: about 1 ms each. */
  d1StatementsPerSecond: 1000,
  d1Bytes: 10e9,
  queueMessagesPerSecond: 5000,
} as const;

/** What one image takes here; docs/scale.md says where each figure comes from. */
const image = {
  cpuMs: 60,
  chunk: 32,
  /** Of a chunk: read batch and chunk, settle, the batch's counters. */
  d1StatementsPerChunk: 4,
  /** Of a chunk: its row, its counters, the batch's row with two indexes. */
  d1RowsPerChunk: 6,
  d1BytesPerChunk: 4800,
  /** Written, read and deleted. */
  queueOperationsPerChunk: 3,
  /** Four groups of results at the edge, each read before it is written. */
  r2WritesPerChunk: 4,
  r2ReadsPerChunk: 6,
} as const;

const month = 30 * 86_400;
const count = (images: number) => `${(images / 1e6).toLocaleString('en')} M`;
const dollars = (value: number) =>
  `$${value < 100 ? value.toFixed(2) : Math.round(value).toLocaleString('en')}`;

function printRow(cells: readonly (string | number)[]): void {
  console.log(`| ${cells.join(' | ')} |`);
}

console.log('Requests, one image each:\n');
printRow(['images a second', 'isolates at work', 'CPU a month', 'requests a month', 'together']);
printRow(['---', '---', '---', '---', '---']);
for (const rate of [1, 100, 10_000]) {
  const images = rate * month;
  const cpu = images * image.cpuMs * price.cpuMs;
  const requests = images * price.request;
  printRow([
    rate.toLocaleString('en'),
    // One thread each, half of the time idle, so that a request seldom waits for another.
    Math.max(1, Math.ceil((rate * image.cpuMs) / 1000 / 0.5)),
    dollars(cpu),
    dollars(requests),
    dollars(price.plan + cpu + requests),
  ]);
}

console.log('\nBatches of references at the edge, a month to do them:\n');
printRow([
  'images',
  'chunks a second',
  'D1 statements a second',
  'D1 rows at once',
  'databases',
  'queues',
  'cost',
]);
printRow(['---', '---', '---', '---', '---', '---', '---']);
for (const images of [1e6, 1e8, 1e9, 1e10]) {
  const chunks = images / image.chunk;
  const perSecond = chunks / month;
  const statements = perSecond * image.d1StatementsPerChunk;
  // Rows stay for 3 days after the end (BATCH_RETENTION_HOURS).
  const bytes = perSecond * 3 * 86_400 * image.d1BytesPerChunk;
  const databases = Math.max(
    1,
    Math.ceil(statements / limit.d1StatementsPerSecond),
    Math.ceil(bytes / limit.d1Bytes),
  );
  const cost =
    images * image.cpuMs * price.cpuMs +
    images * price.r2Read +
    chunks *
      (image.d1RowsPerChunk * price.d1RowWritten +
        image.queueOperationsPerChunk * price.queueOperation +
        image.r2WritesPerChunk * price.r2Write +
        image.r2ReadsPerChunk * price.r2Read);
  printRow([
    count(images),
    perSecond.toFixed(perSecond < 10 ? 2 : 0),
    statements.toFixed(statements < 10 ? 2 : 0),
    `${(bytes / 1e9).toFixed(1)} GB`,
    databases,
    Math.max(1, Math.ceil(perSecond / limit.queueMessagesPerSecond)),
    dollars(price.plan + cost),
  ]);
}
