/** The limits of an app over the whole cluster; null: none. */
export interface LimitsResource {
  streams: number | null;
  viewers: number | null;
  bitrateInBps: number | null;
  bitrateOutBps: number | null;
  transcodeMinutes: number | null;
  recordingMinutes: number | null;
}

/** What may be set of them; what is left out stays. */
export type LimitsPatch = Partial<LimitsResource>;

/** What an app uses on all nodes at the moment. */
export interface AppUsageNow {
  streams: number;
  viewers: number;
  bitrateInBps: number;
  bitrateOutBps: number;
}

/** An amount beside what it may be at most; null: there is no limit. */
export interface LimitedAmount {
  used: number;
  limit: number | null;
}

/** What an app uses on all nodes. */
export interface AppUsageResource {
  app: string;
  now: { streams: LimitedAmount; viewers: LimitedAmount; bitrateInBps: LimitedAmount; bitrateOutBps: LimitedAmount };
  /** By UTC. */
  month: {
    name: string;
    transcodeMinutes: LimitedAmount;
    recordingMinutes: LimitedAmount;
    viewerMinutes: number;
    bytesIn: number;
    bytesOut: number;
  };
}
