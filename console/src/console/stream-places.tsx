import type { JSX } from 'react';
import type { StreamPlaceResource, StreamResource } from '../../../src/api/console-contract.ts';
import { formatBitrate, formatHop, formatViewers } from '../figures/figures.ts';
import { NodeLink } from './node-link.tsx';
import { useNodeName } from './node-names.ts';
import { Scrolled } from './parts.tsx';
import { useRelays } from './queries.ts';
import { viewersBy, type Way, waysOf } from './stream-way.ts';

/** The nodes that have a stream, the way to each with the latency of every step, and who watches it there. */
export function StreamPlaces({ stream: { origin, places = [] } }: { readonly stream: StreamResource }): JSX.Element {
  const { data: relays } = useRelays();
  return (
    <section className="panel" aria-labelledby="places-title">
      <h2 id="places-title">Where it is</h2>
      <ul className="places">
        {waysOf(places, relays?.items ?? []).map((way) => (
          <Place key={way.place.node} way={way} isOrigin={way.place.node === origin.node} />
        ))}
      </ul>
      {places.length === 0 && <p className="note">No node that has it answers now.</p>}
    </section>
  );
}

function Place({ way: { place, steps, latencyMs }, isOrigin }: { readonly way: Way; readonly isOrigin: boolean }): JSX.Element {
  const { node, region, hops, viewers, bitrateBps } = place;
  const role = isOrigin ? 'origin' : hops.length > 1 ? 'by a regional origin' : 'from the origin';
  return (
    <li>
      <span className="way">
        <NodeLink id={hops[0] ?? node} />
        {steps.map(({ to, p50Ms }) => (
          <span key={to} className="hop">
            <span aria-hidden="true">→</span>
            <span className="visually-hidden">then</span>
            {p50Ms !== undefined && <span className="hop-latency">{formatHop(p50Ms)}</span>}
            <NodeLink id={to} />
          </span>
        ))}
      </span>
      <span className="note">
        {[
          role,
          ...(region === '' ? [] : [region]),
          viewers.total === 0 ? '0 viewers' : formatViewers(viewers.total),
          formatBitrate(bitrateBps),
          ...(steps.length > 1 && latencyMs !== undefined ? [`${formatHop(latencyMs)} in all`] : []),
        ].join(' · ')}
      </span>
    </li>
  );
}

/** Who watches: by protocol, by region, by node. */
export function StreamViewers({ places }: { readonly places: readonly StreamPlaceResource[] }): JSX.Element {
  const nodeName = useNodeName();
  const total = places.reduce((sum, { viewers }) => sum + viewers.total, 0);
  const groups = [
    ['Protocol', viewersBy(places, ({ viewers }) => viewers.byProtocol)],
    ['Region', viewersBy(places, ({ region, viewers }) => ({ [region === '' ? 'no region' : region]: viewers.total }))],
    ['Node', viewersBy(places, ({ node, viewers }) => ({ [nodeName(node)]: viewers.total }))],
  ] as const;
  return (
    <section className="panel" aria-labelledby="viewers-title">
      <h2 id="viewers-title">Viewers</h2>
      {total === 0 ? (
        <p className="note">Nobody watches now.</p>
      ) : (
        <div className="viewer-groups">
          {groups.map(([name, rows]) => (
            <Group key={name} name={name} rows={rows} total={total} />
          ))}
        </div>
      )}
    </section>
  );
}

const ROWS_SHOWN = 10;

function Group({
  name,
  rows,
  total,
}: {
  readonly name: string;
  readonly rows: readonly (readonly [string, number])[];
  readonly total: number;
}): JSX.Element {
  return (
    <Scrolled label={`Viewers by ${name.toLowerCase()}`}>
      <table>
        <thead>
          <tr>
            <th scope="col">{name}</th>
            <th scope="col">Viewers</th>
            <th scope="col">Share</th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, ROWS_SHOWN).map(([value, count]) => (
            <tr key={value}>
              <th scope="row">{value}</th>
              <td>{count.toLocaleString('en')}</td>
              <td>{`${Math.round((count / total) * 100)} %`}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > ROWS_SHOWN && <p className="note">and {rows.length - ROWS_SHOWN} more</p>}
    </Scrolled>
  );
}
