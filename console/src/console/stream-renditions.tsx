import type { JSX } from 'react';
import type { StreamResource } from '../../../src/api/console-contract.ts';
import { formatBitrate, UNKNOWN } from '../figures/figures.ts';
import { NodeLink } from './node-link.tsx';
import { StackTable } from './stack-table.tsx';

/** What is made of a stream, how it stands, and on which node. */
export function StreamRenditions({ stream }: { readonly stream: StreamResource }): JSX.Element {
  // Of rungs of one name the first is made, and the others are left out.
  const rungs = new Map([...stream.rungs].reverse().map((rung) => [rung.name, rung]));
  const makers = new Map(stream.makers.map(({ rendition, node }) => [rendition, node]));
  const names = [...new Set([...stream.renditions, ...stream.rungs.map(({ name }) => name)])];
  return (
    <section className="panel" aria-labelledby="renditions-title">
      <h2 id="renditions-title">Renditions</h2>
      <StackTable label="Renditions, one a row" heads={['Name', 'State', 'Picture or sound', 'Bitrate', 'Made by']}>
        {names.map((name) => {
          const rung = rungs.get(name);
          const size = rung?.height === undefined ? '' : `${rung.width} × ${rung.height} · `;
          return (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                <span className={`state ${rung?.state ?? 'running'}`}>
                  {rung?.state.replace('-', ' ') ?? (name === 'source' ? 'as published' : 'running')}
                </span>
                {rung !== undefined && <RungReason rung={rung} />}
              </td>
              <td data-label="Picture or sound">{rung === undefined ? UNKNOWN : `${size}${rung.codec}`}</td>
              <td data-label="Bitrate">{formatBitrate(name === 'source' ? stream.bitrateBps : rung?.bitrateBps)}</td>
              <td data-label="Made by">
                {name === 'source' ? (
                  'publisher'
                ) : rung?.state === 'left-out' ? (
                  'nobody'
                ) : (
                  <NodeLink id={makers.get(name) ?? rung?.by ?? stream.origin.node} />
                )}
              </td>
            </tr>
          );
        })}
      </StackTable>
    </section>
  );
}

/** Why a rung stands as it does, where that does not go without saying. */
function RungReason({ rung: { state, reason } }: { readonly rung: StreamResource['rungs'][number] }): JSX.Element | null {
  const words = reason ?? (state === 'offered' ? 'nobody watches it: it is made when somebody does, also when it is pinned' : undefined);
  return words === undefined ? null : <span className="note block">{words}</span>;
}
