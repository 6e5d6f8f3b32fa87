import type { JSX } from 'react';
import { parseTransportChoice, type TransportChoice } from './transport-policy.ts';
import type { WatchSnapshot } from './watch-session.ts';

interface Props {
  readonly view: WatchSnapshot;
  readonly onChoose: (choice: TransportChoice) => void;
  readonly className: string;
}

/** How the picture comes: by itself the fastest way that plays everything, or as the viewer says. */
export function TransportMenu({ view, onChoose, className }: Props): JSX.Element {
  const now = view.transport.transport === 'webrtc' ? 'WebRTC' : 'LL-HLS';
  return (
    <select
      className={className}
      aria-label="Transport"
      title={view.transport.reason ?? 'Transport'}
      value={view.transportChoice}
      onChange={(event) => onChoose(parseTransportChoice(event.target.value))}
    >
      <option value="auto">{view.transportChoice === 'auto' && view.player.phase === 'playing' ? `Auto (${now})` : 'Auto'}</option>
      <option value="webrtc">WebRTC</option>
      <option value="hls">LL-HLS</option>
    </select>
  );
}
