import { Link } from '@tanstack/react-router';
import { type JSX, useEffect, useState } from 'react';
import type { OverviewResource } from '../../../src/api/console-contract.ts';
import { formatBitrate, formatHop, UNKNOWN } from '../figures/figures.ts';
import { publishInstructions } from '../stream-address/publish-instructions.ts';
import { PublishHelp } from '../streams/publish-help.tsx';
import { Alarms } from './alarms.tsx';
import { Chart } from './chart.tsx';
import { NodeLink } from './node-link.tsx';
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
  const [columns, setColumns] = useState({ viewers: history.viewers, media: history.media });
  useEffect(() => {
    // An answer that is only kept until the first one comes has no time.
    if (data === undefined || dataUpdatedAt === 0) return;
    history.add({
      atS: Math.round(dataUpdatedAt / 1000),
      viewers: data.viewers.total,
      inBps: data.mediaInBps,
      outBps: data.mediaOutBps,
    });
    setColumns({ viewers: history.viewers, media: history.media });
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
            <Chart
              title="Media in and out of all nodes"
              lines={['In', 'Out']}
              columns={columns.media}
              top={100_000}
              format={formatBitrate}
            />
          </div>
          {data.streams === 0 && <PublishHelp instructions={publishInstructions(location.hostname)} empty />}
        </>
      )}
    </>
  );
}

function Figures({
  overview: { streams, viewers, mediaInBps, mediaOutBps, latency, slowestRelay, nodes },
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
      <Figure label="Media in" value={formatBitrate(mediaInBps)} note="from publishers and between nodes" />
      <Figure label="Media out" value={formatBitrate(mediaOutBps)} note="to viewers and between nodes" />
      <Figure
        label="Latency"
        value={latency === undefined ? UNKNOWN : formatHop(latency.p95Ms)}
        note={
          <>
            <LatencyNote latency={latency} />
            {slowestRelay !== undefined && <RelayNote relay={slowestRelay} />}
          </>
        }
      />
      <Figure
        label="Nodes"
        value={<Link to="/console/nodes">{formatCount(nodes.total)}</Link>}
        note={others.length === 0 ? 'all active' : others.join(' · ')}
      />
    </dl>
  );
}

/** What the latency is of: from a frame's coming in to its last viewer, on the node where that takes longest. */
function LatencyNote({ latency }: { readonly latency: OverviewResource['latency'] | undefined }): JSX.Element {
  if (latency === undefined) return <>frame in to last viewer (p95); nobody watches live</>;
  return (
    <>
      frame in to last viewer (p95), on <NodeLink id={latency.node} />
    </>
  );
}

const RelayNote = ({ relay: { from, to, p50Ms } }: { readonly relay: NonNullable<OverviewResource['slowestRelay']> }): JSX.Element => (
  <span className="block">
    slowest relay {formatHop(p50Ms)}, <NodeLink id={from} /> → <NodeLink id={to} />
  </span>
);
