import { Link } from '@tanstack/react-router';
import { type JSX, useEffect, useState } from 'react';
import type { OverviewResource } from '../../../src/api/console-contract.ts';
import { formatBitrate } from '../figures/figures.ts';
import { publishInstructions } from '../stream-address/publish-instructions.ts';
import { PublishHelp } from '../streams/publish-help.tsx';
import { Alarms } from './alarms.tsx';
import { Chart } from './chart.tsx';
import { OverviewHistory } from './overview-history.ts';
import { Figure, PageTitle, Standing } from './parts.tsx';
import { useOverview } from './queries.ts';

const SPAN_S = 600;
// Outlives the page's parts, so that the charts go on where they were when one comes back to them.
const history = new OverviewHistory(SPAN_S);

const formatCount = (value: number): string => Math.round(value).toLocaleString('en');

/** Everything at a glance: figures, alarms, and the last minutes. */
export function OverviewPage(): JSX.Element {
  const { data, error, isPending, dataUpdatedAt } = useOverview();
  const [columns, setColumns] = useState({ viewers: history.viewers, network: history.network });
  useEffect(() => {
    // An answer that is only kept until the first one comes has no time.
    if (data === undefined || dataUpdatedAt === 0) return;
    history.add({
      atS: Math.round(dataUpdatedAt / 1000),
      viewers: data.viewers.total,
      inBps: data.networkInBps,
      outBps: data.networkOutBps,
    });
    setColumns({ viewers: history.viewers, network: history.network });
  }, [data, dataUpdatedAt]);
  return (
    <>
      <PageTitle title="Overview" />
      <Standing problem={error} isLoading={isPending} />
      {data && (
        <>
          <Figures overview={data} />
          <Alarms alarms={data.alarms} />
          <div className="charts">
            <Chart title="Viewers" lines={['Viewers']} columns={columns.viewers} top={4} format={formatCount} />
            <Chart title="Network of all nodes" lines={['In', 'Out']} columns={columns.network} top={100_000} format={formatBitrate} />
          </div>
          {data.streams === 0 && <PublishHelp instructions={publishInstructions(location.hostname)} empty />}
        </>
      )}
    </>
  );
}

function Figures({
  overview: { streams, viewers, networkInBps, networkOutBps, nodes },
}: {
  readonly overview: OverviewResource;
}): JSX.Element {
  const { webrtc, hls, flv, rtmp } = viewers.byProtocol;
  const others = [
    ...(nodes.draining > 0 ? [`${nodes.draining} draining`] : []),
    ...(nodes.disabled > 0 ? [`${nodes.disabled} disabled`] : []),
    ...(nodes.stale > 0 ? [`${nodes.stale} stale`] : []),
  ];
  return (
    <dl className="figures">
      <Figure label="Streams" value={<Link to="/console/streams">{formatCount(streams)}</Link>} note="published now" />
      <Figure
        label="Viewers"
        value={formatCount(viewers.total)}
        note={`WebRTC ${formatCount(webrtc)} · HLS ${formatCount(hls)} · FLV ${formatCount(flv)} · RTMP ${formatCount(rtmp)}`}
      />
      <Figure label="Network in" value={formatBitrate(networkInBps)} />
      <Figure label="Network out" value={formatBitrate(networkOutBps)} />
      <Figure
        label="Nodes"
        value={<Link to="/console/nodes">{formatCount(nodes.total)}</Link>}
        note={others.length === 0 ? 'all active' : others.join(' · ')}
      />
    </dl>
  );
}
