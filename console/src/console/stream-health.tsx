import type { JSX } from 'react';
import type { StreamResource } from '../../../src/api/console-contract.ts';
import { formatBitrate } from '../figures/figures.ts';
import { Chart } from './chart.tsx';
import { useHistory } from './use-history.ts';

/** What comes in from the publisher, over the last minutes that the page was open. */
export function StreamHealth({
  stream: { bitrateBps, frameRate, keyframeIntervalMs, driftMs, viewers },
  atMs,
}: {
  readonly stream: StreamResource;
  readonly atMs: number;
}): JSX.Element {
  const columns = useHistory(
    {
      bitrate: bitrateBps ?? 0,
      frames: frameRate ?? 0,
      keyframe: (keyframeIntervalMs ?? 0) / 1000,
      drift: driftMs ?? 0,
      viewers: viewers?.total ?? 0,
    },
    atMs,
  );
  return (
    <div className="charts small-charts">
      <Chart title="Bitrate" lines={['In']} columns={columns('bitrate')} top={100_000} format={formatBitrate} />
      <Chart title="Frame rate" lines={['Frames']} columns={columns('frames')} top={10} format={(value) => `${value.toFixed(0)} /s`} />
      <Chart title="Keyframes each" lines={['Last']} columns={columns('keyframe')} top={2} format={(value) => `${value.toFixed(1)} s`} />
      <Chart
        title="Clock drift"
        lines={['Timestamps ahead by']}
        columns={columns('drift')}
        top={50}
        bottom={-50}
        format={(value) => `${value.toLocaleString('en')} ms`}
      />
      <Chart
        title="Viewers"
        lines={['On all nodes']}
        columns={columns('viewers')}
        top={4}
        format={(value) => Math.round(value).toLocaleString('en')}
      />
    </div>
  );
}
