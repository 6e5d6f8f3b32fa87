import type pino from 'pino';
import { durationMs, streamRef } from '../core/mod.ts';
import type { Hub } from '../hub/mod.ts';
import { type Clock, type MetricSource, PullSources, type StreamDoor } from '../io/mod.ts';
import { awaitsSender } from '../sources/mod.ts';
import type { Config } from './config/mod.ts';

const STATES = ['idle', 'starting', 'running', 'ending', 'waiting'] as const;

export interface SourceNeeds {
  readonly config: Config;
  readonly hub: Hub;
  readonly door: StreamDoor;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

/** The pull sources of all apps as the configuration has them; they supply the door. */
export function createSources({ config, hub, door, clock, log }: SourceNeeds): PullSources {
  const sources = new PullSources({
    ...config.sources,
    sources: Object.entries(config.apps).flatMap(([app, { sources: named }]) =>
      Object.entries(named).map(([name, { url, mode, rtspTransport, lingerMs, stallMs }]) => ({
        ref: streamRef(app, name),
        url,
        mode,
        rtspTransport,
        lingerMs: durationMs(lingerMs),
        stallMs: durationMs(stallMs),
        isListener: awaitsSender(url),
      })),
    ),
    isAwaited: (path) => door.isAwaited(path),
    hub,
    clock,
    log,
  });
  door.add(sources);
  return sources;
}

/** What they tell: how many stand how, what came in, what went wrong. */
export function sourceMetrics(sources: PullSources, door: StreamDoor): readonly MetricSource[] {
  const total = (name: string, help: string, read: (of: ReturnType<PullSources['report']>[number]) => number): MetricSource => ({
    name,
    kind: 'counter',
    help,
    read: () => [{ value: sources.report().reduce((sum, source) => sum + read(source), 0) }],
  });
  return [
    {
      name: 'sluice_sources',
      kind: 'gauge',
      help: 'Pull sources by state',
      labels: ['state'],
      read: () => {
        const report = sources.report();
        return STATES.map((state) => ({ labels: { state }, value: report.filter((source) => source.state === state).length }));
      },
    },
    total('sluice_sources_attempts_total', 'How often pull sources were opened', ({ attempts }) => attempts),
    total('sluice_sources_received_frames_total', 'Frames read from pull sources', ({ framesIn }) => framesIn),
    total('sluice_sources_malformed_frames_total', 'Frames of pull sources that were left out', ({ malformedFrames }) => malformedFrames),
    {
      name: 'sluice_waiting_viewers',
      kind: 'gauge',
      help: 'Viewers that wait for a stream that is on its way',
      read: () => [{ value: door.waitingCount }],
    },
  ];
}
