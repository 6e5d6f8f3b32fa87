import { type JSX, useEffect, useSyncExternalStore } from 'react';
import { PageHeader } from '../design/page-header.tsx';
import { watchPath } from '../stream-address/stream-address.ts';
import { EncodingPanel } from './encoding-panel.tsx';
import { Preview } from './preview.tsx';
import type { PublishPhase } from './publish-machine.ts';
import type { PublishSession } from './publish-session.ts';
import { SourcePanel } from './source-panel.tsx';
import { StartForm } from './start-form.tsx';
import { StatusPanel } from './status-panel.tsx';

/** The whole page: the preview and how it goes on one side, the choices on the other. */
export function PublishPage({ session }: { readonly session: PublishSession }): JSX.Element {
  const view = useSyncExternalStore(session.subscribe, session.snapshot);
  const { phase } = view.state;
  const { app, name } = session.address;
  const isBusy = isPublishing(phase);
  useWarningWhenLeaving(isBusy);
  return (
    <div className="page">
      <PageHeader>
        <a className="button" href={watchPath(app, name)} target="_blank" rel="noreferrer">
          Open watch page
        </a>
      </PageHeader>
      <main className="studio">
        <div className="studio-head">
          <h1>
            Publish <span className="studio-app">{app} / </span>
            {name}
          </h1>
          <PhaseBadge phase={phase} />
        </div>
        <div className="studio-picture">
          <Preview view={view} onOpen={() => void session.openPreview()} />
          <StartForm session={session} phase={phase} />
          <StatusPanel view={view} />
        </div>
        <div className="studio-choices">
          <SourcePanel view={view} onChange={session.change} isLocked={isBusy} />
          <EncodingPanel view={view} onChange={session.change} isLocked={isBusy} />
        </div>
      </main>
    </div>
  );
}

const isPublishing = (phase: PublishPhase): boolean => phase === 'connecting' || phase === 'live' || phase === 'reconnecting';

function PhaseBadge({ phase }: { readonly phase: PublishPhase }): JSX.Element {
  if (phase === 'live') return <span className="badge live">Live</span>;
  return phase === 'connecting' || phase === 'reconnecting' ? (
    <span className="badge held">Connecting</span>
  ) : (
    <span className="badge">Not live</span>
  );
}

/** Closing the page ends the stream, so the browser asks first. */
function useWarningWhenLeaving(isBusy: boolean): void {
  useEffect(() => {
    if (!isBusy) return;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [isBusy]);
}
