import { type JSX, useSyncExternalStore } from 'react';
import { PageHeader } from '../design/page-header.tsx';
import { streamLinks } from '../stream-address/stream-address.ts';
import { Player } from './player.tsx';
import type { PlayerPhase } from './player-machine.ts';
import { SharePanel } from './share-panel.tsx';
import type { WatchSession } from './watch-session.ts';

/** The whole page; embedded, the player alone. */
export function WatchPage({ session, embedded }: { readonly session: WatchSession; readonly embedded: boolean }): JSX.Element {
  const { phase } = useSyncExternalStore(session.subscribe, session.snapshot).player;
  if (embedded) {
    return (
      <main className="embedded">
        <Player session={session} />
      </main>
    );
  }
  const { app, name } = session.address;
  return (
    <div className="page">
      <PageHeader />
      <main className="watch">
        <Player session={session} />
        <div className="watch-title">
          <h1>
            <span>{app} / </span>
            {name}
          </h1>
          <PhaseBadge phase={phase} />
        </div>
        <SharePanel links={streamLinks(location, session.address)} />
      </main>
    </div>
  );
}

function PhaseBadge({ phase }: { readonly phase: PlayerPhase }): JSX.Element {
  if (phase === 'playing' || phase === 'stalled') return <span className="badge live">Live</span>;
  return phase === 'held' ? <span className="badge held">On hold</span> : <span className="badge">Not playing</span>;
}
