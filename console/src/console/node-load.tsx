import type { JSX } from 'react';
import type { NodeResource } from '../../../src/api/console-contract.ts';
import { formatBitrate, formatHop } from '../figures/figures.ts';
import { formatBytes, shareOf, viewersOf, whoIsLeft } from './node-figures.ts';
import { Meter } from './parts.tsx';

/** How busy a node is, beside what it has. */
export function NodeLoad({ node: { load } }: { readonly node: NodeResource }): JSX.Element {
  if (load === undefined)
    return <p className="note">The node that shows this page has not heard how busy it is; in a large cluster, managers have.</p>;
  const { cpu, memoryBytes, memoryMaxBytes, mediaInBps, mediaOutBps, networkInBps, networkOutBps, networkMaxBps } = load;
  const { loopLagMs, latencyP95Ms, viewersMax, streams, tasks, tasksMax } = load;
  const viewers = viewersOf({ load });
  const of = (whole: number, format: (value: number) => string): string => (whole > 0 ? ` of ${format(whole)}` : '');
  const count = (value: number): string => value.toLocaleString('en');
  const bits = (value: number): string => formatBitrate(value) + of(networkMaxBps, formatBitrate);
  return (
    <div className="meters">
      <Meter label="CPU" share={shareOf(cpu, 1)} words={`${Math.round(cpu * 100)} %`} />
      <Meter
        label="Memory"
        share={shareOf(memoryBytes, memoryMaxBytes)}
        words={formatBytes(memoryBytes) + of(memoryMaxBytes, formatBytes)}
      />
      <Meter label="Media in" share={undefined} words={formatBitrate(mediaInBps)} />
      <Meter label="Media out" share={undefined} words={formatBitrate(mediaOutBps)} />
      <Meter label="Network in" share={shareOf(networkInBps, networkMaxBps)} words={bits(networkInBps)} />
      <Meter label="Network out" share={shareOf(networkOutBps, networkMaxBps)} words={bits(networkOutBps)} />
      <Meter label="Viewers" share={shareOf(viewers, viewersMax)} words={count(viewers) + of(viewersMax, count)} />
      <Meter label="Tasks" share={shareOf(tasks, tasksMax)} words={count(tasks) + of(tasksMax, count)} />
      <Meter label="Streams" share={undefined} words={count(streams)} />
      {latencyP95Ms > 0 && <Meter label="Latency" share={undefined} words={`${formatHop(latencyP95Ms)} to the last viewer (p95)`} />}
      <Meter label="Event loop" share={undefined} words={`${loopLagMs.toFixed(1)} ms late (p99)`} />
    </div>
  );
}

/** What is not as it should be with a node: nothing is heard of it, or it drains; nothing otherwise. */
export function NodeNotice({ node }: { readonly node: NodeResource }): JSX.Element | null {
  const { stale, status, heardAgoMs, drainDeadlineAt } = node;
  if (stale) return <p className="notice bad">No sign of life for {Math.round(heardAgoMs / 1000)} s.</p>;
  if (status !== 'draining') return null;
  const until = drainDeadlineAt === undefined ? '' : ` What is left at ${new Date(drainDeadlineAt).toLocaleTimeString('en-GB')} is closed.`;
  return (
    <p className="notice" role="status">
      Draining: {whoIsLeft(node)} left.{until}
    </p>
  );
}
