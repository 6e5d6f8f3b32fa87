import { describe, expect, it } from 'vitest';
import type { LiveStream } from '../hub/mod.ts';
import { LatencyHistogram } from '../io/mod.ts';
import { MediaRates } from './media-rates.ts';

const stream = (protocol: string): { publisher: { protocol: string }; bytesIn: number; counts(): { bytesIn: number } } => ({
  publisher: { protocol },
  bytesIn: 0,
  counts(): { bytesIn: number } {
    return { bytesIn: this.bytesIn };
  },
});

function node() {
  const state = { now: 0, streams: [] as ReturnType<typeof stream>[], relay: { bytesReceived: 0, bytesSent: 0 }, sent: 0 };
  const latency = new LatencyHistogram();
  const rates = new MediaRates({
    hub: { streams: () => state.streams as unknown as Iterable<LiveStream> },
    outputs: () => [{ addBytesSent: (to) => to.add('live', state.sent) }],
    relayed: () => ({ ...state.relay }),
    latencies: () => [latency.value()],
    now: () => state.now,
  });
  rates.read();
  const passed = (ms: number): ReturnType<MediaRates['read']> => {
    state.now += ms;
    return rates.read();
  };
  return { state, latency, passed };
}

describe('the media of a node', () => {
  it('is what publishers and other nodes send, and what goes to viewers and other nodes', () => {
    const { state, passed } = node();
    const [own, pulled] = [stream('rtmp'), stream('relay')];
    state.streams = [own, pulled];
    own.bytesIn = 1_000_000;
    pulled.bytesIn = 500_000;
    state.relay = { bytesReceived: 510_000, bytesSent: 250_000 };
    state.sent = 2_000_000;
    expect(passed(1_000)).toMatchObject({ mediaInBps: 1_510_000 * 8, mediaOutBps: 2_250_000 * 8 });
  });

  it('is a rate of the last seconds: it ends with what made it', () => {
    const { state, passed } = node();
    const own = stream('rtmp');
    state.streams = [own];
    for (let second = 0; second < 10; second++) {
      own.bytesIn += 125_000;
      passed(1_000);
    }
    expect(passed(0).mediaInBps).toBe(1_000_000);
    state.streams = [];
    for (let second = 0; second < 6; second++) passed(1_000);
    expect(passed(0)).toMatchObject({ mediaInBps: 0, mediaOutBps: 0 });
  });

  it('does not jump when a stream that was pulled gets its publisher here', () => {
    const { state, passed } = node();
    const moved = stream('relay');
    state.streams = [moved];
    moved.bytesIn = 900_000_000;
    passed(1_000);
    moved.publisher.protocol = 'rtmp';
    moved.bytesIn += 125_000;
    expect(passed(1_000).mediaInBps).toBe(500_000);
  });

  it('is looked at once a second, however many ask', () => {
    const { state, passed } = node();
    passed(1_000);
    state.sent = 1_000_000;
    expect(passed(10).mediaOutBps).toBe(0);
    expect(passed(990).mediaOutBps).toBe(4_000_000);
  });

  it('has the latency of the frames of the last seconds, and none when nobody watches', () => {
    const { latency, passed } = node();
    expect(passed(1_000)).toMatchObject({ latencyP50Ms: 0, latencyP95Ms: 0 });
    for (let frame = 0; frame < 94; frame++) latency.add(2);
    for (let frame = 0; frame < 6; frame++) latency.add(90);
    const { latencyP50Ms, latencyP95Ms } = passed(1_000);
    expect(latencyP50Ms).toBeGreaterThan(1);
    expect(latencyP50Ms).toBeLessThanOrEqual(2.5);
    expect(latencyP95Ms).toBeGreaterThan(75);
    expect(latencyP95Ms).toBeLessThanOrEqual(100);
    for (let second = 0; second < 6; second++) passed(1_000);
    expect(passed(0).latencyP50Ms).toBe(0);
  });
});
