import type { JSX } from 'react';
import { formatBitrate, formatLatency, formatRatio, UNKNOWN } from '../figures/figures.ts';
import type { LayerFigures, OutboundFigures } from '../webrtc/outbound-figures.ts';
import type { PublishState } from './publish-machine.ts';
import type { PublishSnapshot } from './publish-session.ts';

const LIMITATIONS: Readonly<Record<string, string>> = {
  none: 'nothing',
  cpu: 'this computer (too slow for the picture)',
  bandwidth: 'the network',
  other: 'something else',
};

/** How publishing goes: the state in words, and what the connection measures. */
export function StatusPanel({ view }: { readonly view: PublishSnapshot }): JSX.Element {
  const { state, figures } = view;
  return (
    <section className="panel status" aria-labelledby="status-title">
      <h2 id="status-title">Connection</h2>
      <p className={state.problem ? 'problem' : 'status-words'} role="status" aria-live="polite">
        {state.problem && <strong>{state.problem.title}. </strong>}
        {state.problem?.hint ?? words(state)}
      </p>
      {state.phase === 'live' && (
        <>
          <dl className="measured">
            {rows(state, figures).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
          {figures.layers.length > 1 && <Layers layers={figures.layers} />}
        </>
      )}
    </section>
  );
}

function words(state: PublishState): string {
  switch (state.phase) {
    case 'idle':
      return 'Not live.';
    case 'connecting':
      return 'Connecting to the server …';
    case 'live':
      return 'You are live.';
    case 'reconnecting':
      return 'The connection was lost; it is made again by itself.';
    case 'failed':
      return 'Publishing stopped.';
  }
}

function rows(state: PublishState, figures: OutboundFigures): readonly (readonly [string, string])[] {
  const { framesPerSecond, width, height, limitation } = figures;
  return [
    ['Bitrate', formatBitrate(figures.bitrateBps)],
    ['Picture', width && height ? `${width} × ${height}` : UNKNOWN],
    ['Frames a second', framesPerSecond === undefined ? UNKNOWN : String(Math.round(framesPerSecond))],
    ['Codecs', figures.codecs ?? UNKNOWN],
    ['Round trip', formatLatency(figures.rttMs)],
    ['Loss', formatRatio(figures.lossRatio)],
    ['Limited by', limitation === undefined ? UNKNOWN : (LIMITATIONS[limitation] ?? limitation)],
    ['Reconnects', String(state.reconnects)],
  ];
}

function Layers({ layers }: { readonly layers: readonly LayerFigures[] }): JSX.Element {
  return (
    <table className="layers">
      <caption>Simulcast</caption>
      <thead>
        <tr>
          <th scope="col">Layer</th>
          <th scope="col">Picture</th>
          <th scope="col">Frames a second</th>
          <th scope="col">Bitrate</th>
        </tr>
      </thead>
      <tbody>
        {layers.map(({ rid, width, height, framesPerSecond, bitrateBps }) => (
          <tr key={rid}>
            <th scope="row">{rid}</th>
            <td>{width && height ? `${width} × ${height}` : UNKNOWN}</td>
            <td>{framesPerSecond === undefined ? UNKNOWN : Math.round(framesPerSecond)}</td>
            <td>{formatBitrate(bitrateBps)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
