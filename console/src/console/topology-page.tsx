import { Link } from '@tanstack/react-router';
import { type JSX, type RefObject, useEffect, useMemo, useRef, useState } from 'react';
import type { NodeResource, RelayResource } from '../../../src/api/console-contract.ts';
import { formatHop } from '../figures/figures.ts';
import { standingOf, viewersOf } from './node-figures.ts';
import { useNodeName } from './node-names.ts';
import { AloneNotice, PageTitle, Scrolled, Standing } from './parts.tsx';
import { useNodes, useRelays } from './queries.ts';
import { RelayTable } from './relay-table.tsx';
import { useIsInCluster } from './session-context.ts';
import { LABEL_HEIGHT, LABEL_WIDTH, layoutTopology, NODE_HEIGHT, NODE_WIDTH } from './topology-layout.ts';

const MARGIN = 14;

/** A picture of regions, nodes and the relays between them; the same as a table, for those who cannot see it. */
export function TopologyPage(): JSX.Element {
  const isInCluster = useIsInCluster();
  return (
    <>
      <PageTitle title="Topology" />
      {isInCluster ? (
        <TopologyOfCluster />
      ) : (
        <AloneNotice what="In a cluster, this page shows regions, nodes, and which streams go from where to where." />
      )}
    </>
  );
}

function TopologyOfCluster(): JSX.Element {
  const { data: nodes = [], error, isPending } = useNodes();
  const { data: relays } = useRelays();
  const place = useRef<HTMLDivElement>(null);
  const widthMax = useWidth(place);
  return (
    <>
      <Standing problem={error} isLoading={isPending} />
      <Scrolled label="Picture of the cluster">
        <div ref={place}>
          <Picture nodes={nodes} relays={relays?.items ?? []} widthMax={widthMax} />
        </div>
      </Scrolled>
      <RelayTable
        relays={relays?.items ?? []}
        none="No node pulls from another one now: a relay begins when somebody watches a stream on a node that does not publish it."
      />
    </>
  );
}

/** How wide something is on the page, as that changes; before it is known, the picture is not laid out by it. */
function useWidth(place: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(Number.POSITIVE_INFINITY);
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const resized = new ResizeObserver(() => setWidth(element.clientWidth));
    resized.observe(element);
    return () => resized.disconnect();
  }, [place]);
  return width;
}

interface PictureProps {
  readonly nodes: readonly NodeResource[];
  readonly relays: readonly RelayResource[];
  readonly widthMax: number;
}

function Picture({ nodes, relays, widthMax }: PictureProps): JSX.Element {
  const picture = useMemo(() => layoutTopology(nodes, relays, widthMax - 2 * MARGIN), [nodes, relays, widthMax]);
  const { width, height, regions, nodes: placed, relays: curves } = picture;
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const relayOf = new Map(relays.map((relay) => [`${relay.from} ${relay.to}`, relay]));
  const title = `${nodes.length} nodes in ${regions.length} regions, ${relays.length} relays between them`;
  const [boxWidth, boxHeight] = [width + 2 * MARGIN, height + 2 * MARGIN];
  return (
    // biome-ignore lint/a11y/useSemanticElements: its nodes are links, so it is a group, and no picture that hides what is in it
    <svg
      className="topology"
      role="group"
      aria-label={title}
      width={boxWidth}
      height={boxHeight}
      viewBox={`${-MARGIN} ${-MARGIN} ${boxWidth} ${boxHeight}`}
    >
      <defs>
        <marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">
          <path className="arrow" d="M0,0 L10,5 L0,10 z" />
        </marker>
      </defs>
      {regions.map((region) => (
        <g key={region.name}>
          <rect className="region" x={region.x} y={region.y} width={region.width} height={region.height} rx={16} />
          <text className="region-name" x={region.x + 20} y={region.y + 27}>
            {region.name}
          </text>
        </g>
      ))}
      {curves.map(({ from, to, path }) => (
        <path
          key={`${from} ${to}`}
          className={(relayOf.get(`${from} ${to}`)?.streamCount ?? 0) > 0 ? 'relay busy' : 'relay'}
          d={path}
          markerEnd="url(#arrow)"
        />
      ))}
      {placed.map(({ id, x, y }) => {
        const node = byId.get(id);
        return node === undefined ? null : <NodeBox key={id} node={node} x={x} y={y} />;
      })}
      {curves.map(({ from, to, x, y }) => {
        const relay = relayOf.get(`${from} ${to}`);
        const words = counted(relay?.streamCount ?? 0, 'stream');
        return (
          <g key={`${from} ${to}`} className="relay-label">
            <rect x={x - LABEL_WIDTH / 2} y={y - LABEL_HEIGHT / 2} width={LABEL_WIDTH} height={LABEL_HEIGHT} rx={9} />
            <text x={x} y={y - 3}>
              {words}
            </text>
            <text x={x} y={y + 13}>
              {formatHop(relay?.p50Ms)}
            </text>
          </g>
        );
      })}
    </svg>
  );
}

const NAME_CHARS_MAX = 26;

const counted = (count: number, one: string): string => `${count.toLocaleString('en')} ${count === 1 ? one : `${one}s`}`;

function NodeBox({ node, x, y }: { readonly node: NodeResource; readonly x: number; readonly y: number }): JSX.Element {
  const { id, roles, load } = node;
  const name = useNodeName()(id);
  const standing = standingOf(node);
  const viewers = viewersOf(node);
  return (
    <Link to="/console/nodes/$node" params={{ node: id }} className={`node-box ${standing}`}>
      <g transform={`translate(${x},${y})`}>
        <rect width={NODE_WIDTH} height={NODE_HEIGHT} rx={10} />
        <circle cx={16} cy={18} r={5} />
        <text className="node-id" x={28} y={23}>
          {name.length > NAME_CHARS_MAX ? `${name.slice(0, NAME_CHARS_MAX - 1)}…` : name}
        </text>
        <text x={12} y={41}>
          {[roles.join(', '), ...(standing === 'active' ? [] : [standing])].join(' · ')}
        </text>
        <text x={12} y={55}>
          {[counted(load?.streams ?? 0, 'stream'), counted(viewers, 'viewer'), `CPU ${Math.round((load?.cpu ?? 0) * 100)} %`].join(' · ')}
        </text>
      </g>
    </Link>
  );
}
