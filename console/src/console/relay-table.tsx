import type { JSX } from 'react';
import type { RelayResource } from '../../../src/api/console-contract.ts';
import { formatLatency } from '../figures/figures.ts';
import { NodeLink } from './node-link.tsx';
import { Scrolled } from './parts.tsx';
import { StreamLink } from './stream-link.tsx';

/** Relays between nodes, with what goes over each and how long that takes; `none` is said when there are none. */
export function RelayTable({ relays, none }: { readonly relays: readonly RelayResource[]; readonly none: string }): JSX.Element {
  return (
    <section className="panel" aria-labelledby="relays-title">
      <h2 id="relays-title">Relays</h2>
      {relays.length === 0 ? (
        <p className="note">{none}</p>
      ) : (
        <Scrolled label="Relays">
          <table>
            <thead>
              <tr>
                <th scope="col">From</th>
                <th scope="col">To</th>
                <th scope="col">Streams</th>
                <th scope="col">Latency, half / 99 %</th>
              </tr>
            </thead>
            <tbody>
              {relays.map(({ from, to, streams, streamCount, p50Ms, p99Ms }) => (
                <tr key={`${from} ${to}`}>
                  <td>
                    <NodeLink id={from} />
                  </td>
                  <td>
                    <NodeLink id={to} />
                  </td>
                  <td>
                    <StreamLinks paths={streams} />
                    {streamCount > streams.length && ` and ${streamCount - streams.length} more`}
                  </td>
                  <td>{`${formatLatency(p50Ms)} / ${formatLatency(p99Ms)}`}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scrolled>
      )}
    </section>
  );
}

/** Links to streams, one after the other. */
function StreamLinks({ paths }: { readonly paths: readonly string[] }): JSX.Element {
  return (
    <>
      {paths.map((path, index) => (
        <span key={path}>
          {index > 0 && ', '}
          <StreamLink path={path} />
        </span>
      ))}
    </>
  );
}
