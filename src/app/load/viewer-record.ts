/** What one viewer or publisher of a load saw. Times are of `performance.now()`, in ms. */
export interface ViewerRecord {
  readonly startedAtMs: number;
  firstByteAtMs: number | undefined;
  firstKeyframeAtMs: number | undefined;
  bytes: number;
  stalls: number;
  lostFrames: number;
  /** Milliseconds behind the sender, one for each probe. */
  readonly latenciesMs: number[];
  /** Why it ended before it was told to. */
  error: string | undefined;
}

const LATENCIES_MAX = 20_000;

export const newRecord = (): ViewerRecord => ({
  startedAtMs: performance.now(),
  firstByteAtMs: undefined,
  firstKeyframeAtMs: undefined,
  bytes: 0,
  stalls: 0,
  lostFrames: 0,
  latenciesMs: [],
  error: undefined,
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
