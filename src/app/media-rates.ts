import type { NodeLoad } from '../cluster/mod.ts';
import type { Hub, LiveStream } from '../hub/mod.ts';
import {
  AppBytes,
  type FlvRoute,
  type HistogramValue,
  histogramQuantileMs,
  histogramSince,
  type RtmpListener,
  type SentBytes,
  sumHistograms,
  systemClock,
  type WebrtcServer,
} from '../io/mod.ts';

export interface MediaRatesOptions {
  readonly hub: Pick<Hub, 'streams'>;
  readonly outputs: () => readonly SentBytes[];
  /** What was relayed since the start, to and from other nodes. */
  readonly relayed: () => { readonly bytesReceived: number; readonly bytesSent: number };
  /** Of each way to viewers, since the start: from a frame's coming in to the last viewer having it. */
  readonly latencies: () => readonly HistogramValue[];
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

type Rates = Pick<NodeLoad, 'mediaInBps' | 'mediaOutBps' | 'latencyP50Ms' | 'latencyP95Ms'>;

interface Counters {
  readonly at: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly latency: HistogramValue | undefined;
}

/** Media comes in bursts: a keyframe, a segment. Over less than this, rates would jump about. */
const SPAN_MS = 5_000;
const SAMPLE_MS = 900;

/** How much media goes through this node, and how long frames take: of the last five seconds, from counters that it has anyway. */
export class MediaRates {
  private readonly options: MediaRatesOptions;
  private readonly samples: Counters[] = [];
  /** What each stream had received when it was last looked at. */
  private received = new Map<LiveStream, number>();
  private publishedBytes = 0;
  private rates: Rates = { mediaInBps: 0, mediaOutBps: 0, latencyP50Ms: 0, latencyP95Ms: 0 };

  constructor(options: MediaRatesOptions) {
    this.options = options;
  }

  /** Looks at the counters at most about once a second, however many ask. */
  read(): Rates {
    const now = this.options.now();
    const last = this.samples.at(-1);
    if (last === undefined || now - last.at >= SAMPLE_MS) this.sample(now);
    return this.rates;
  }

  private sample(now: number): void {
    const { samples } = this;
    const newest = this.counters(now);
    samples.push(newest);
    while (samples.length > 2 && now - (samples[1] as Counters).at >= SPAN_MS) samples.shift();
    const oldest = samples[0] as Counters;
    const spanS = (now - oldest.at) / 1000;
    if (spanS <= 0) return;
    const latency = latencyBetween(oldest, newest);
    const bps = (since: number): number => Math.max(0, Math.round((since * 8) / spanS));
    this.rates = {
      mediaInBps: bps(newest.receivedBytes - oldest.receivedBytes),
      mediaOutBps: bps(newest.sentBytes - oldest.sentBytes),
      latencyP50Ms: latency === undefined ? 0 : tenths(histogramQuantileMs(latency, 0.5)),
      latencyP95Ms: latency === undefined ? 0 : tenths(histogramQuantileMs(latency, 0.95)),
    };
  }

  private counters(at: number): Counters {
    const { outputs, relayed, latencies } = this.options;
    const { bytesReceived, bytesSent } = relayed();
    const sent = new AppBytes();
    for (const output of outputs()) output.addBytesSent(sent);
    let sentBytes = bytesSent;
    for (const app of sent.apps()) sentBytes += sent.of(app);
    const histograms = latencies();
    return {
      at,
      receivedBytes: this.published() + bytesReceived,
      sentBytes,
      latency: histograms.length === 0 ? undefined : sumHistograms(histograms),
    };
  }

  /** What publishers have sent. Streams of other nodes come in what is relayed; one that changes from that to a publisher here counts from then on. */
  private published(): number {
    const received = new Map<LiveStream, number>();
    for (const stream of this.options.hub.streams()) {
      const { bytesIn } = stream.counts();
      const since = Math.max(0, bytesIn - (this.received.get(stream) ?? 0));
      if (stream.publisher.protocol !== 'relay') this.publishedBytes += since;
      received.set(stream, bytesIn);
    }
    this.received = received;
    return this.publishedBytes;
  }
}

/** What of a node receives, and what sends. */
export interface MediaParts {
  readonly hub: Hub;
  readonly flv: FlvRoute;
  readonly rtmp: readonly RtmpListener[];
  readonly webrtc: WebrtcServer | undefined;
  readonly outputs: () => readonly SentBytes[];
}

/** Of a node with these parts; without a cluster nothing is relayed. */
export function mediaRatesOf(
  { hub, flv, rtmp, webrtc, outputs }: MediaParts,
  cluster: { stats(): ReturnType<MediaRatesOptions['relayed']> } | undefined,
): MediaRates {
  return new MediaRates({
    hub,
    outputs,
    relayed: () => cluster?.stats() ?? { bytesReceived: 0, bytesSent: 0 },
    latencies: () => [
      flv.stats().latency,
      ...rtmp.flatMap((listener) => listener.stats().broadcasts.map(({ latency }) => latency)),
      ...(webrtc === undefined ? [] : [webrtc.stats().latency]),
    ],
    now: () => systemClock.monotonic(),
  });
}

const latencyBetween = (oldest: Counters, newest: Counters): HistogramValue | undefined =>
  oldest.latency === undefined || newest.latency === undefined ? undefined : histogramSince(oldest.latency, newest.latency);

const tenths = (ms: number): number => Math.round(ms * 10) / 10;
