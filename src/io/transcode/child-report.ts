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
