import type { AppFigures, AppLimits, MonthCounters } from '../../access/mod.ts';
import type { AppUsageNow, AppUsageResource, LimitsResource } from '../../api/mod.ts';

const MINUTE_MS = 60_000;

export const limitsResource = (limits: AppLimits): LimitsResource => ({
  streams: limits.streams ?? null,
  viewers: limits.viewers ?? null,
  bitrateInBps: limits.bitrateInBps ?? null,
  bitrateOutBps: limits.bitrateOutBps ?? null,
  transcodeMinutes: limits.transcodeMinutes ?? null,
  recordingMinutes: limits.recordingMinutes ?? null,
});

export const usageNow = ({ streams, viewers, bitrateInBps, bitrateOutBps }: AppFigures): AppUsageNow => ({
  streams,
  viewers,
  bitrateInBps: Math.round(bitrateInBps),
  bitrateOutBps: Math.round(bitrateOutBps),
});

/** What an app uses, beside its limits. */
export function usageResource(
  app: string,
  figures: AppFigures,
  month: string,
  counters: MonthCounters,
  limits: AppLimits,
): AppUsageResource {
  const now = usageNow(figures);
  const limit = limitsResource(limits);
  return {
    app,
    now: {
      streams: { used: now.streams, limit: limit.streams },
      viewers: { used: now.viewers, limit: limit.viewers },
      bitrateInBps: { used: now.bitrateInBps, limit: limit.bitrateInBps },
      bitrateOutBps: { used: now.bitrateOutBps, limit: limit.bitrateOutBps },
    },
    month: {
      name: month,
      transcodeMinutes: { used: Math.floor(counters.transcodeMs / MINUTE_MS), limit: limit.transcodeMinutes },
      recordingMinutes: { used: Math.floor(counters.recordingMs / MINUTE_MS), limit: limit.recordingMinutes },
      viewerMinutes: Math.floor(counters.viewerMs / MINUTE_MS),
      bytesIn: counters.bytesIn,
      bytesOut: counters.bytesOut,
    },
  };
}
