import type pino from 'pino';
import type { BroadcastOutput, BroadcastPackager } from '../gateways/mod.ts';
import type { LiveStream } from '../hub/mod.ts';
import { AppBytes } from './app-bytes.ts';
import { Broadcaster, type BroadcastOptions, type BroadcastStats } from './broadcast.ts';
import type { Clock } from './clock.ts';
import { type HistogramValue, LatencyHistogram } from './latency-histogram.ts';
import type { Framing, ViewerSocket } from './viewer-socket.ts';

/** What the broadcasters of a protocol share. */
export interface StreamViewersOptions {
  /** Names the viewers in the streams' counts and begins the codes in the log. */
  readonly protocol: 'flv' | 'rtmp';
  readonly makePackager: (out: BroadcastOutput) => BroadcastPackager;
  readonly broadcast: BroadcastOptions;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

/** Counters since the start over all streams, those that are over too. */
export interface ViewersStats extends BroadcastStats {
  /** From a batch's first unit coming in until the last viewer's write. */
  readonly latency: HistogramValue;
}

/** The broadcasters of all streams that somebody plays by one protocol. A stream has one from its first viewer until its last has left. */
export class StreamViewers {
  private readonly options: StreamViewersOptions;
  private readonly broadcasters = new Map<LiveStream, Broadcaster>();
  /** What the broadcasters that are gone have counted. */
  private readonly latency = new LatencyHistogram();
  private readonly past = { bytesOut: 0, skips: 0, stalledViewers: 0 };
  private readonly pastBytes = new AppBytes();

  constructor(options: StreamViewersOptions) {
    this.options = options;
  }

  get count(): number {
    let count = 0;
    for (const broadcaster of this.broadcasters.values()) count += broadcaster.viewers;
    return count;
  }

  /** What has been sent to viewers since the start, by app. */
  addBytesSent(to: AppBytes): void {
    this.pastBytes.addTo(to);
    for (const [{ ref }, broadcaster] of this.broadcasters) to.add(ref.app, broadcaster.stats().bytesOut);
  }

  /** Adds a viewer, with its address for the log; returns what takes it out without closing its socket. */
  add(stream: LiveStream, socket: ViewerSocket, framing: Framing, remote: string): () => void {
    return (this.broadcasters.get(stream) ?? this.create(stream)).add(socket, framing, remote);
  }

  stats(): ViewersStats {
    let total: BroadcastStats = { ...this.past, viewers: 0 };
    for (const broadcaster of this.broadcasters.values()) {
      const stats = broadcaster.stats();
      total = {
        viewers: total.viewers + stats.viewers,
        bytesOut: total.bytesOut + stats.bytesOut,
        skips: total.skips + stats.skips,
        stalledViewers: total.stalledViewers + stats.stalledViewers,
      };
    }
    return { ...total, latency: this.latency.value() };
  }

  /** Ends all viewers politely. */
  close(): void {
    for (const broadcaster of [...this.broadcasters.values()]) broadcaster.close();
  }

  private create(stream: LiveStream): Broadcaster {
    const { protocol, makePackager, broadcast, clock, log } = this.options;
    const listener = {
      delivered: (latencyMs: number): void => {
        this.latency.add(latencyMs);
        stream.delivered(latencyMs);
      },
      stalled: (remote: string): void =>
        log.info({ code: `${protocol}.viewer-stalled`, stream: stream.ref.path, remote }, 'viewer did not read; disconnected'),
      idle: (last: BroadcastStats): void => this.forget(stream, last),
    };
    const broadcaster = new Broadcaster(stream, protocol, makePackager, broadcast, clock, listener);
    this.broadcasters.set(stream, broadcaster);
    return broadcaster;
  }

  private forget(stream: LiveStream, last: BroadcastStats): void {
    this.broadcasters.delete(stream);
    this.past.bytesOut += last.bytesOut;
    this.pastBytes.add(stream.ref.app, last.bytesOut);
    this.past.skips += last.skips;
    this.past.stalledViewers += last.stalledViewers;
  }
}
