import type { JSX } from 'react';
import type { RelayResource } from '../../../src/api/console-contract.ts';
import { formatHop } from '../figures/figures.ts';
import { NodeLink } from './node-link.tsx';
import { StackTable } from './stack-table.tsx';
import { StreamLink } from './stream-link.tsx';

/** Relays between nodes, with what goes over each and how long that takes; `none` is said when there are none. */
export function RelayTable({ relays, none }: { readonly relays: readonly RelayResource[]; readonly none: string }): JSX.Element {
  return (
    <section className="panel" aria-labelledby="relays-title">
      <h2 id="relays-title">Relays</h2>
      {relays.length === 0 ? (
        <p className="note">{none}</p>
      ) : (
        <StackTable label="Relays, one a row" heads={['From', 'To', 'Streams', 'Latency, half / 99 %']}>
          {relays.map(({ from, to, streams, streamCount, p50Ms, p99Ms }) => (
            <tr key={`${from} ${to}`}>
              <td data-label="From">
                <NodeLink id={from} />
              </td>
              <td data-label="To">
                <NodeLink id={to} />
              </td>
              <td data-label="Streams">
                <StreamLinks paths={streams} />
                {streamCount > streams.length && ` and ${streamCount - streams.length} more`}
              </td>
              <td data-label="Latency, half / 99 %">{`${formatHop(p50Ms)} / ${formatHop(p99Ms)}`}</td>
            </tr>
          ))}
        </StackTable>
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
