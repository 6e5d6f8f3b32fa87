import type { JSX } from 'react';
import type { ClusterStreamDetail, StreamResource } from '../../../src/api/console-contract.ts';
import { formatBitrate, UNKNOWN } from '../figures/figures.ts';
import { NodeLink } from './node-link.tsx';
import { Scrolled } from './parts.tsx';

/** What is made of a stream, how it stands, and on which node. */
export function StreamRenditions({
  stream,
  atOrigin,
}: {
  readonly stream: ClusterStreamDetail;
  readonly atOrigin: StreamResource | undefined;
}): JSX.Element {
  const rungs = new Map(atOrigin?.rungs.map((rung) => [rung.name, rung]));
  const makers = new Map(stream.makers.map(({ rendition, node }) => [rendition, node]));
  const names = [...new Set([...stream.renditions, ...rungs.keys()])];
  return (
    <section className="panel" aria-labelledby="renditions-title">
      <h2 id="renditions-title">Renditions</h2>
      <Scrolled label="Renditions">
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">State</th>
              <th scope="col">Picture or sound</th>
              <th scope="col">Bitrate</th>
              <th scope="col">Made by</th>
            </tr>
          </thead>
          <tbody>
            {names.map((name) => {
              const rung = rungs.get(name);
              const size = rung?.height === undefined ? '' : `${rung.width} × ${rung.height} · `;
              return (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>
                    <span className={`state ${rung?.state ?? 'running'}`}>
                      {rung?.state ?? (name === 'source' ? 'as published' : 'running')}
                    </span>
                    {rung?.reason !== undefined && <span className="note block">{rung.reason}</span>}
                  </td>
                  <td>{rung === undefined ? UNKNOWN : `${size}${rung.codec}`}</td>
                  <td>{formatBitrate(name === 'source' ? atOrigin?.bitrateBps : rung?.bitrateBps)}</td>
                  <td>{name === 'source' ? 'publisher' : <NodeLink id={makers.get(name) ?? rung?.by ?? stream.origin} />}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scrolled>
    </section>
  );
}
