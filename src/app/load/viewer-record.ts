/** What one viewer or publisher of a load saw. Times are of `performance.now()`, in ms. */
export interface ViewerRecord {
  /** When it began to connect. */
  startedAtMs: number;
  firstByteAtMs: number | undefined;
  firstKeyframeAtMs: number | undefined;
  bytes: number;
  stalls: number;
  lostFrames: number;
  /** Of RTMP publishers: how often the server has sent them on. */
  reconnects: number;
  /** Milliseconds behind the sender, one for each probe. */
  readonly latenciesMs: number[];
  /** Why it ended before it was told to. */
  error: string | undefined;
  /** Of WHEP viewers. */
  readonly webrtc?: WebrtcRecord;
}

/** What is known of a WHEP viewer alone. */
export interface WebrtcRecord {
  /** The answer to its offer came. */
  answeredAtMs: number | undefined;
  /** DTLS was done. */
  connectedAtMs: number | undefined;
  firstVideoAtMs: number | undefined;
  firstAudioAtMs: number | undefined;
  srtpProfile: string | undefined;
  packets: number;
  lostPackets: number;
  jitterMs: number | undefined;
  keyframeRequests: number;
  /** Of viewers that put frames together. */
  probe: ProbeRecord | undefined;
}

export interface ProbeRecord {
  /** Whole frames. */
  frames: number;
  /** Packets that came by retransmission and were needed. */
  repaired: number;
  /** When a frame was first no longer old; known only of streams of `sluice load publish`. */
  liveAtMs: number | undefined;
}

const LATENCIES_MAX = 20_000;

export const newRecord = (): ViewerRecord => ({
  startedAtMs: performance.now(),
  firstByteAtMs: undefined,
  firstKeyframeAtMs: undefined,
  bytes: 0,
  stalls: 0,
  lostFrames: 0,
  reconnects: 0,
  latenciesMs: [],
  error: undefined,
});

export const newWebrtcRecord = (): WebrtcRecord => ({
  answeredAtMs: undefined,
  connectedAtMs: undefined,
  firstVideoAtMs: undefined,
  firstAudioAtMs: undefined,
  srtpProfile: undefined,
  packets: 0,
  lostPackets: 0,
  jitterMs: undefined,
  keyframeRequests: 0,
  probe: undefined,
});

export function noteLatency(record: ViewerRecord, latencyMs: number): void {
  if (record.latenciesMs.length < LATENCIES_MAX) record.latenciesMs.push(latencyMs);
}

/** One simulated client. It connects when made. */
export interface LoadClient {
  readonly record: ViewerRecord;
  /** Called about every second. */
  tick(nowMs: number): void;
  close(): void;
}
