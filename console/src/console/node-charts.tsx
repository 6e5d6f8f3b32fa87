import type { JSX } from 'react';
import type { NodeResource } from '../../../src/api/console-contract.ts';
import { formatBitrate } from '../figures/figures.ts';
import { Chart } from './chart.tsx';
import { formatBytes, viewersOf } from './node-figures.ts';
import { useHistory } from './use-history.ts';

const MEMORY_TOP_BYTES = 500e6;

/** How busy a node is, over the last minutes that the page was open. */
export function NodeCharts({ load, atMs }: { readonly load: NonNullable<NodeResource['load']>; readonly atMs: number }): JSX.Element {
  const { cpu, memoryBytes, mediaInBps, mediaOutBps, loopLagMs, tasks } = load;
  const viewers = viewersOf({ load });
  const columns = useHistory({ cpu: cpu * 100, memoryBytes, mediaInBps, mediaOutBps, loopLagMs, viewers, tasks }, atMs);
  const count = (value: number): string => Math.round(value).toLocaleString('en');
  return (
    <div className="charts small-charts">
      <Chart title="CPU" lines={['CPU']} columns={columns('cpu')} top={100} format={(value) => `${Math.round(value)} %`} />
      <Chart title="Memory" lines={['Used']} columns={columns('memoryBytes')} top={MEMORY_TOP_BYTES} format={formatBytes} />
      <Chart title="Media" lines={['In', 'Out']} columns={columns('mediaInBps', 'mediaOutBps')} top={100_000} format={formatBitrate} />
      <Chart
        title="Event loop"
        lines={['Late at the 99th percentile']}
        columns={columns('loopLagMs')}
        top={10}
        format={(value) => `${value.toFixed(1)} ms`}
      />
      <Chart title="Viewers" lines={['Here']} columns={columns('viewers')} top={4} format={count} />
      <Chart title="Tasks" lines={['Transcoding']} columns={columns('tasks')} top={4} format={count} />
    </div>
  );
}
