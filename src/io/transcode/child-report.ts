import type { SupervisorState } from '../../transcode/mod.ts';
import type { StreamLane } from './stream-lane.ts';
import type { TranscoderStats } from './transcoder.ts';

/** How the children of a stream do, its pictures' and its sound's together. */
export interface ChildReport {
  readonly state: SupervisorState;
  readonly restarts: number;
  readonly lastFailure: string | undefined;
  readonly stats: TranscoderStats | undefined;
}

/** What the children of all streams do, together. */
export interface ChildSums {
  readonly restarts: number;
  readonly framesDropped: number;
  readonly framesCorrupt: number;
  readonly cpuS: number;
  /** Of the slowest one. */
  readonly queuedMsMax: number;
}

/** The one that tells most comes first. */
const STATES: readonly SupervisorState[] = ['gave-up', 'waiting', 'starting', 'running', 'ending', 'idle'];

export function reportOfLanes(lanes: readonly StreamLane[]): ChildReport {
  const supervisors = lanes.map(({ supervisor }) => supervisor);
  return {
    state: STATES.find((state) => supervisors.some((supervisor) => supervisor.state === state)) ?? 'idle',
    restarts: supervisors.reduce((sum, { restarts }) => sum + restarts, 0),
    lastFailure: supervisors.find(({ lastFailure }) => lastFailure !== undefined)?.lastFailure,
    stats: together(lanes.flatMap((lane) => lane.stats() ?? [])),
  };
}

/** Most streams have no child: these cost no more than a look. */
export function sumOfLanes(streams: Iterable<{ readonly everyLane: readonly StreamLane[] }>): ChildSums {
  const sums = { restarts: 0, framesDropped: 0, framesCorrupt: 0, cpuS: 0, queuedMsMax: 0 };
  for (const { everyLane } of streams) {
    for (const lane of everyLane) {
      sums.restarts += lane.supervisor.restarts;
      const stats = lane.stats();
      if (stats === undefined) continue;
      sums.framesDropped += stats.framesDropped;
      sums.framesCorrupt += stats.framesCorrupt;
      sums.cpuS += stats.cpuS;
      sums.queuedMsMax = Math.max(sums.queuedMsMax, stats.queuedMs);
    }
  }
  return sums;
}

function together(all: readonly TranscoderStats[]): TranscoderStats | undefined {
  if (all.length === 0) return undefined;
  const sum = (key: keyof TranscoderStats): number => all.reduce((total, stats) => total + stats[key], 0);
  return {
    framesIn: sum('framesIn'),
    framesOut: sum('framesOut'),
    framesDropped: sum('framesDropped'),
    framesCorrupt: sum('framesCorrupt'),
    queuedMs: Math.max(...all.map(({ queuedMs }) => queuedMs)),
    cpuS: sum('cpuS'),
  };
}
