import { Writable } from 'node:stream';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { attributesOf, type OtlpReceiver, receiveTraces } from './otlp-receiver.fixture.ts';
import { openTracing } from './otlp-tracing.ts';
import type { Tracing } from './tracing.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

let receiver: OtlpReceiver;
let tracing: Tracing;
let logged: { readonly code?: string }[];

const open = (samplePercent = 100, trustCallers = false): Promise<Tracing> => {
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged.push(JSON.parse(chunk.toString()) as { code?: string });
      done();
    },
  });
  const log = pino({ level: 'info' }, stream);
  return openTracing({ endpoint: receiver.endpoint, samplePercent, trustCallers, version: '1.2.3', nodeId: 'edge-1', log, delayMs: 10 });
};

const spansOf = (count: number) =>
  vi.waitFor(
    () => {
      expect(receiver.spans.length).toBeGreaterThanOrEqual(count);
      return receiver.spans;
    },
    { timeout: 20_000, interval: 20 },
  );

beforeEach(async () => {
  logged = [];
  receiver = await receiveTraces();
});

afterEach(async () => {
  await tracing.close();
  await receiver.close();
});

describe('traces by OTLP', () => {
  it('tell what took place within what, when, and how it ended', async () => {
    tracing = await open();
    const join = tracing.begin('whep.join', { kind: 'server', attributes: { 'sluice.stream': 'live/show' } });
    const wait = tracing.begin('stream.wait', { parent: join });
    wait.end();
    join.event('answered');
    join.set({ 'sluice.rendition': '720p' });
    join.end('webrtc.connect-timeout');
    join.end();
    const [first, second] = await spansOf(2);
    expect(first).toMatchObject({ name: 'stream.wait', traceId: second?.traceId, parentSpanId: second?.spanId });
    expect(second).toMatchObject({ name: 'whep.join', kind: 2, events: [{ name: 'answered' }], status: { code: 2 } });
    expect(attributesOf(second as NonNullable<typeof second>)).toEqual({
      'sluice.stream': 'live/show',
      'sluice.rendition': '720p',
      'error.type': 'webrtc.connect-timeout',
    });
    expect(receiver.headers[0]?.['content-type']).toContain('application/json');
    expect(receiver.bodies[0]).toContain('edge-1');
    expect(receiver.bodies[0]).toContain('1.2.3');
  });

  it('begin here whatever a caller says, which has no say in whether they are kept, and link to the caller’s', async () => {
    tracing = await open(0);
    // Of an id that each share of samples takes in.
    tracing.begin('GET /a', { traceparent: `00-${'0'.repeat(31)}1-${SPAN}-01` }).end();
    await tracing.close();
    expect(receiver.spans).toEqual([]);
    tracing = await open(100);
    tracing.begin('GET /b', { traceparent: `00-${TRACE}-${SPAN}-00` }).end();
    const [span] = await spansOf(1);
    expect(span).toMatchObject({ name: 'GET /b', links: [{ traceId: TRACE, spanId: SPAN }] });
    expect([span?.traceId === TRACE, span?.parentSpanId]).toEqual([false, undefined]);
  });

  it('go on from the trace of a caller who is trusted, and are kept when he keeps it', async () => {
    tracing = await open(0, true);
    tracing.begin('GET /a', { traceparent: `00-${TRACE}-${SPAN}-00` }).end();
    tracing.begin('GET /b').end();
    tracing.begin('GET /c', { traceparent: `00-${TRACE}-${SPAN}-01` }).end();
    const spans = await spansOf(1);
    await tracing.close();
    expect(spans.map(({ name }) => name)).toEqual(['GET /c']);
    expect(spans[0]).toMatchObject({ traceId: TRACE, parentSpanId: SPAN });
  });

  it('are sent when the server stops', async () => {
    tracing = await open();
    tracing.begin('last').end();
    await tracing.close();
    expect(receiver.spans.map(({ name }) => name)).toEqual(['last']);
  });

  it('are dropped while nobody takes them, which is logged once', async () => {
    tracing = await open();
    receiver.status = 400;
    const codes = (): unknown[] => logged.map(({ code }) => code).filter((code) => code !== 'tracing.on');
    tracing.begin('one').end();
    await vi.waitFor(() => expect(codes()).toEqual(['tracing.export-failed']), { timeout: 20_000 });
    tracing.begin('two').end();
    await tracing.close();
    expect(codes()).toEqual(['tracing.export-failed']);
    expect(JSON.stringify(logged)).not.toContain('/v1/traces');
  });
});
