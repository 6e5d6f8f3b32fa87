import type { Hub, LiveStream, StreamStats } from '../hub/mod.ts';

/** A stream that the metrics tell by name. */
export interface NamedStream {
  readonly stream: LiveStream;
  readonly stats: StreamStats;
  readonly labels: { readonly app: string; readonly stream: string };
}

/** What the metrics say of all streams of a node together, and which of them they tell by name. Of no use before all of it was walked. */
export class StreamSurvey {
  readonly named: NamedStream[] = [];
  readonly states: Record<LiveStream['state'], number> = { live: 0, held: 0 };
  /** Live streams by how they come in. */
  readonly publishers: Record<LiveStream['publisher']['protocol'], number> = { rtmp: 0, webrtc: 0, relay: 0, pull: 0 };
  readonly viewers: Map<string, number> = new Map([
    ['flv', 0],
    ['hls', 0],
    ['rtmp', 0],
    ['webrtc', 0],
  ]);
  bytesIn = 0;
  framesIn = 0;
  gopBytes = 0;
  renditions = 0;
  untold = 0;
  private readonly hub: Hub;
  private readonly namedMax: number;

  /** Names at most `namedMax`: those that began first, so that they stay the same. */
  constructor(hub: Hub, namedMax: number) {
    this.hub = hub;
    this.namedMax = namedMax;
  }

  /** Takes a stream at each step. */
  *walk(): Iterable<void> {
    const streams = [...this.hub.streams()];
    if (this.namedMax > 0 && streams.length > this.namedMax) streams.sort((a, b) => a.startedWallMs - b.startedWallMs);
    this.untold = Math.max(0, streams.length - this.namedMax);
    for (const stream of streams) yield this.take(stream);
  }

  private take(stream: LiveStream): void {
    const stats = stream.stats();
    this.states[stream.state]++;
    if (stream.state === 'live') this.publishers[stream.publisher.protocol]++;
    for (const [protocol, count] of stream.viewers) this.viewers.set(protocol, (this.viewers.get(protocol) ?? 0) + count);
    this.bytesIn += stats.bytesIn;
    this.framesIn += stats.framesIn;
    this.gopBytes += stats.gopBytes;
    this.renditions += stream.renditions.size;
    if (this.named.length < this.namedMax) this.named.push({ stream, stats, labels: { app: stream.ref.app, stream: stream.ref.name } });
  }
}
