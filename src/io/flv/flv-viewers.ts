import { durationMs, type SizeBytes } from '../../core/mod.ts';
import { HubToFlv } from '../../gateways/mod.ts';
import type { LiveStream } from '../../hub/mod.ts';
import { Broadcaster, type BroadcastOptions, type BroadcastStats } from '../broadcast.ts';
import type { Clock } from '../clock.ts';
import type { Framing, ViewerSocket } from '../viewer-socket.ts';

/** Headers are repeated this much longer than a viewer may be stuck, so that none comes back without them. */
const HEADERS_REPEATED_MARGIN_MS = 2_000;

/** The broadcasters of all streams that somebody plays as FLV, over HTTP and WebSocket alike. */
export class FlvViewers {
  private readonly options: BroadcastOptions;
  private readonly gopCacheBytesMax: SizeBytes;
  private readonly clock: Clock;
  private readonly broadcasters = new Map<LiveStream, Broadcaster>();
  /** What the broadcasters that are gone have counted. */
  private readonly past = { bytesOut: 0, skips: 0, stalledViewers: 0 };

  constructor(options: BroadcastOptions, gopCacheBytesMax: SizeBytes, clock: Clock) {
    this.options = options;
    this.gopCacheBytesMax = gopCacheBytesMax;
    this.clock = clock;
  }

  get count(): number {
    let count = 0;
    for (const broadcaster of this.broadcasters.values()) count += broadcaster.viewers;
    return count;
  }

  /** Adds a viewer; returns what takes it out without closing its socket. */
  add(stream: LiveStream, socket: ViewerSocket, framing: Framing): () => void {
    return (this.broadcasters.get(stream) ?? this.create(stream)).add(socket, framing);
  }

  /** Counters since the start over all streams; the latencies are the worst stream's. */
  stats(): BroadcastStats {
    let total: BroadcastStats = { ...this.past, viewers: 0, latencyP50Ms: 0, latencyP99Ms: 0 };
    for (const broadcaster of this.broadcasters.values()) {
      const stats = broadcaster.stats();
      total = {
        viewers: total.viewers + stats.viewers,
        bytesOut: total.bytesOut + stats.bytesOut,
        skips: total.skips + stats.skips,
        stalledViewers: total.stalledViewers + stats.stalledViewers,
        latencyP50Ms: Math.max(total.latencyP50Ms, stats.latencyP50Ms),
        latencyP99Ms: Math.max(total.latencyP99Ms, stats.latencyP99Ms),
      };
    }
    return total;
  }

  /** Ends all viewers politely. */
  close(): void {
    for (const broadcaster of [...this.broadcasters.values()]) broadcaster.close();
  }

  private create(stream: LiveStream): Broadcaster {
    const packagerOptions = {
      gopCacheBytesMax: this.gopCacheBytesMax,
      headersRepeatedMs: durationMs(this.options.stalledMsMax + HEADERS_REPEATED_MARGIN_MS),
    };
    const broadcaster = new Broadcaster(
      stream,
      'flv',
      (out) => new HubToFlv(out, packagerOptions),
      this.options,
      this.clock,
      (last) => {
        this.broadcasters.delete(stream);
        this.past.bytesOut += last.bytesOut;
        this.past.skips += last.skips;
        this.past.stalledViewers += last.stalledViewers;
      },
    );
    this.broadcasters.set(stream, broadcaster);
    return broadcaster;
  }
}
