import type { Hub, LiveStream, StreamCounts } from '../hub/mod.ts';
import { type Sample, sharedLabels } from '../io/mod.ts';

/** A stream that the metrics tell by name, as it was when the survey came by: all is read at once, as each stream's own memory is far from the others'. */
export interface NamedStream {
  readonly labels: NonNullable<Sample['labels']>;
  readonly state: LiveStream['state'];
  readonly counts: StreamCounts;
  readonly renditions: number;
}

/** So many streams are taken at a step. */
const STREAMS_A_STEP = 16;

/** What the metrics say of all streams of a node together, and which of them they tell by name. Of no use before all of it was walked. */
export class StreamSurvey {
  readonly named: NamedStream[] = [];
  /** Of the named streams, by protocol. */
  readonly namedViewers: Sample[] = [];
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

  *walk(): Iterable<void> {
    const streams = [...this.hub.streams()];
    if (this.namedMax > 0 && streams.length > this.namedMax) streams.sort((a, b) => a.startedWallMs - b.startedWallMs);
    this.untold = Math.max(0, streams.length - this.namedMax);
    for (const [at, stream] of streams.entries()) {
      this.take(stream, at < this.namedMax);
      if (at % STREAMS_A_STEP === 0) yield;
    }
  }

  private take(stream: LiveStream, isNamed: boolean): void {
    const { ref, state, publisher, viewers, renditionCount: renditions } = stream;
    const counts = stream.counts();
    this.states[state]++;
    if (state === 'live') this.publishers[publisher.protocol]++;
    for (const [protocol, count] of viewers) this.viewers.set(protocol, (this.viewers.get(protocol) ?? 0) + count);
    this.bytesIn += counts.bytesIn;
    this.framesIn += counts.framesIn;
    this.gopBytes += counts.gopBytes;
    this.renditions += renditions;
    if (!isNamed) return;
    const labels = { app: ref.app, stream: ref.name };
    this.named.push({ labels: sharedLabels(labels), state, counts, renditions });
    for (const [protocol, value] of viewers) this.namedViewers.push({ labels: { ...labels, protocol }, value });
  }
}
