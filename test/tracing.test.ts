import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { attributesOf, type OtlpReceiver, type ReceivedSpan, receiveTraces } from '../src/io/tracing/otlp-receiver.fixture.ts';
import { type FfmpegPublisher, publish } from './fixtures/ffmpeg-publisher.ts';
import { TestCluster, type TestNode } from './fixtures/test-cluster.ts';

vi.setConfig({ testTimeout: 120_000 });

const MAIN = join(import.meta.dirname, '..', 'dist/app/main.js');
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const WAIT = { timeout: 60_000, interval: 200 };

let receiver: OtlpReceiver;
let cluster: TestCluster;
let edge: TestNode;
let publisher: FfmpegPublisher;

const find = (which: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan> =>
  vi.waitFor(() => {
    const span = receiver.spans.find(which);
    expect(span, receiver.spans.map(({ name }) => name).join(', ')).toBeDefined();
    return span as ReceivedSpan;
  }, WAIT);

const named = (name: string): Promise<ReceivedSpan> => find((span) => span.name === name);

beforeAll(async () => {
  receiver = await receiveTraces();
  const environment = { SLUICE_TRACING_ENDPOINT: receiver.endpoint };
  cluster = await TestCluster.found({ roles: ['manager', 'origin'], region: 'eu', environment });
  edge = await cluster.join({ roles: ['edge'], region: 'eu', environment: { ...environment, SLUICE_TRACING_TRUST_CALLERS: 'true' } });
  publisher = await publish({ url: `${cluster.manager.server.rtmpUrl}/live/show`, videoCodec: 'h264' });
});

afterAll(async () => {
  await publisher?.close();
  await cluster?.close();
  await receiver?.close();
});

describe('traces of a cluster', () => {
  it('tell how long nodes take to join', async () => {
    const joined = async (id: string): Promise<ReceivedSpan> =>
      find((span) => span.name === 'cluster.join' && attributesOf(span)['sluice.node'] === id);
    expect(attributesOf(await joined(edge.id))).toEqual({ 'sluice.node': edge.id, 'sluice.region': 'eu' });
    await joined(cluster.manager.id);
  });

  it('tell of a viewer’s way to the first packet, and of the pull that it took', async () => {
    const watch = ['load', 'whep', `${edge.server.httpUrl}/live/show/whep`, '--viewers', '1', '--duration', '3', '--json'];
    await promisify(execFile)(process.execPath, [MAIN, ...watch]);
    const joined = await find((span) => span.name === 'whep.join' && span.events?.some(({ name }) => name === 'connected') === true);
    expect(attributesOf(joined)).toEqual({ 'sluice.app': 'live', 'sluice.stream': 'live/show' });
    expect(joined.events?.map(({ name }) => name)).toEqual(['admission decided', 'answered', 'connected']);
    const wait = await named('stream.wait');
    expect(attributesOf(wait)).toMatchObject({ 'sluice.stream': 'live/show' });
    const pull = await named('relay.pull');
    expect(attributesOf(pull)).toMatchObject({ 'sluice.stream': 'live/show', 'sluice.upstream': cluster.manager.id });
    expect(pull.kind).toBe(3);
  });

  it('link to the caller’s span, go on from it where callers are trusted, and hold no secret and no address', async () => {
    const headers = { traceparent: `00-${TRACE}-${SPAN}-01`, authorization: 'Bearer sk_never-to-be-told' };
    await fetch(`${edge.server.httpUrl}/api/v1/streams?q=never-to-be-told`, { headers: { traceparent: headers.traceparent } });
    await fetch(`${edge.server.httpUrl}/live/show/whep?token=never-to-be-told`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/sdp', 'user-agent': 'never-to-be-told' },
      body: 'v=0',
    });
    const call = await find(({ traceId, name }) => traceId === TRACE && name === 'GET /api/v1/streams');
    expect(call.parentSpanId).toBe(SPAN);
    expect(attributesOf(call)).toMatchObject({ 'http.request.method': 'GET', 'http.route': '/api/v1/streams' });
    const refused = await find(({ traceId, name }) => traceId === TRACE && name === 'whep.join');
    expect(refused.status?.code).toBe(2);
    await fetch(`${cluster.manager.server.httpUrl}/api/v1/streams`, { headers });
    const stranger = await find(({ name, links }) => name === 'GET /api/v1/streams' && links?.[0]?.traceId === TRACE);
    expect([stranger.traceId === TRACE, stranger.links?.[0]?.spanId]).toEqual([false, SPAN]);
    const everything = receiver.bodies.join('\n');
    expect(everything).not.toContain('never-to-be-told');
    expect(everything).not.toContain('127.0.0.1');
  });
});
