import { readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metricFamilies } from '../../src/lib/observe/metrics.ts';
import { maxBodyBytes, maxSmallBodyBytes } from '../../src/limits.ts';
import { goldenPath } from '../golden/golden.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';
import { readMetric, readValue } from './read-metric.ts';

const photo = new Uint8Array(await readFile(goldenPath('cat.jpg')));
let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge?.stop());

describe('what a platform engineer sees', () => {
  it('one log line a request, with figures and without the picture', async () => {
    await edge.fetch('/v1/classify', {
      method: 'POST',
      body: photo,
      headers: { 'x-request-id': 'seen' },
    });
    await edge.fetch('/v1/classify', {
      method: 'POST',
      body: 'no picture',
      headers: { 'x-request-id': 'bad', 'content-type': 'image/png' },
    });
    const lines = edge.logs().filter(({ event }) => event === 'request');
    expect(lines.find(({ request_id }) => request_id === 'seen')).toMatchObject({
      level: 'info',
      method: 'POST',
      route: '/v1/classify',
      status: 200,
      outcome: 'ok',
      principal: 'public',
      model: 'resnet18-imagenet1k/3',
      images: 1,
      image_bytes: photo.length,
      image_pixels: 451 * 300,
      answer: 'bypass',
      duration_ms: expect.any(Number),
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      server_timing: expect.stringContaining('inference'),
    });
    expect(lines.find(({ request_id }) => request_id === 'bad')).toMatchObject({
      status: 415,
      outcome: 'image_format_unknown',
    });
    expect(JSON.stringify(edge.logs())).not.toContain('no picture');
    expect(JSON.stringify(edge.logs())).not.toContain('Egyptian cat');
  });

  it('the caller’s trace goes on, a broken one is begun anew', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const ask = (traceparent: string) =>
      edge.fetch('/v1/health/live', { headers: { traceparent, tracestate: 'a=1' } });
    const answer = (await ask(`00-${traceId}-b7ad6b7169203331-01`)).headers;
    expect(answer.get('traceparent')).toMatch(
      new RegExp(`^00-${traceId}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`),
    );
    expect(answer.get('tracestate')).toBe('a=1');
    const anew = (await ask(`00-${'0'.repeat(32)}-b7ad6b7169203331-01`)).headers.get('traceparent');
    expect(anew).toMatch(/^00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });

  it('metrics that Prometheus can read and that add up', async () => {
    const read = async () => await (await edge.fetch('/metrics')).text();
    const series = 'resnet_edge_requests_total{route="/v1/classify",status="200",outcome="ok"}';
    const before = readValue(await read(), series);
    for (let round = 0; round < 3; round++) await edge.fetch('/v1/classify', { method: 'POST', body: photo });
    const text = await read();
    expect(readValue(text, series)).toBe(before + 3);
    for (const [name, { type }] of Object.entries(metricFamilies))
      expect(text).toContain(`# TYPE ${name} ${type}`);
    expect(readValue(text, 'resnet_edge_model_loads_total{model="resnet18-imagenet1k/3"}')).toBe(1);
    expect(readValue(text, 'resnet_edge_runtime_memory_bytes')).toBeGreaterThan(10_000_000);
    expect(readValue(text, 'resnet_edge_body_bytes_in_flight')).toBe(0);
    const stage = 'resnet_edge_stage_duration_seconds';
    const count = readValue(text, `${stage}_count{stage="inference"}`);
    expect(count).toBeGreaterThanOrEqual(4);
    expect(readValue(text, `${stage}_bucket{stage="inference",le="+Inf"}`)).toBe(count);
    // Every line is a comment or a series with a number.
    for (const line of text.trim().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) |[a-z_]+(\{[^}]*\})? -?[0-9.e+-]+$)/);
  });
});

describe('more work than an isolate can do', () => {
  it('is refused at its deadline with Retry-After, and taken again when there is room', async () => {
    const { hostname, port } = new URL(edge.url);
    const slow = new Socket();
    const answered = new Promise<string>((resolve, reject) => {
      slow.once('data', (data) => resolve(data.toString('latin1')));
      slow.once('error', reject);
    });
    slow.connect(Number(port), hostname);
    // Somebody sends the largest body there may be, and takes a while: the budget is his.
    slow.write(
      `POST /v1/classify HTTP/1.1\r\nhost: x\r\ncontent-type: image/jpeg\r\ncontent-length: ${maxBodyBytes}\r\n\r\n`,
    );
    // Half of it keeps its pace for half the time that a body has. What follows the end of an image is ignored.
    const whole = new Uint8Array(maxBodyBytes);
    whole.set(photo);
    slow.write(whole.subarray(0, maxBodyBytes / 2));
    await expect.poll(() => readMetric(edge, 'resnet_edge_body_bytes_in_flight')).toBe(maxBodyBytes);

    // A small one would pass.
    const large = Buffer.concat([photo, Buffer.alloc(2 * maxSmallBodyBytes)]);
    const ask = (wait: number) =>
      edge.fetch('/v1/classify', { method: 'POST', body: large, headers: { prefer: `wait=${wait}` } });
    const refused = await ask(1);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ code: 'overloaded' });

    const patient = ask(20);
    await expect.poll(() => readMetric(edge, 'resnet_edge_requests_waiting')).toBe(1);
    slow.write(whole.subarray(maxBodyBytes / 2));
    expect(await answered).toMatch(/^HTTP\/1.1 200 /);
    slow.destroy();
    const taken = await patient;
    expect(taken.status).toBe(200);
    expect(taken.headers.get('preference-applied')).toBe('wait=20');
  });
});
