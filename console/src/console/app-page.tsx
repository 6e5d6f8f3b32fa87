import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { type JSX, useRef, useState } from 'react';
import type { AppResource } from '../../../src/api/access-contract.ts';
import { useApp, useDeleteApp } from './access-queries.ts';
import { AppLadder } from './app-ladder.tsx';
import { AppLimits } from './app-limits.tsx';
import { AppRecordings } from './app-recordings.tsx';
import { AppSettings } from './app-settings.tsx';
import { ConfirmDialog } from './dialogs.tsx';
import { NeedsKey } from './needs-key.tsx';
import { PageTitle } from './parts.tsx';
import { RevokedTokens } from './revoked-tokens.tsx';
import { useMayChange } from './session-context.ts';
import { StreamKeys } from './stream-keys.tsx';
import { TokenExample } from './token-example.tsx';
import { TokenKeys } from './token-keys.tsx';
import { useHereInView } from './use-here-in-view.ts';
import { Webhooks } from './webhooks.tsx';

const PARTS = [
  ['settings', 'Settings'],
  ['keys', 'Stream keys'],
  ['tokens', 'Signed tokens'],
  ['limits', 'Limits and usage'],
  ['ladder', 'Ladder'],
  ['recordings', 'Recordings'],
  ['webhooks', 'Webhooks'],
] as const;

/** One app: who may publish and play, with which keys and tokens. */
export function AppPage(): JSX.Element {
  const { app: name } = useParams({ from: '/console/apps/$app' });
  const { part = 'settings' } = useSearch({ from: '/console/apps/$app' });
  const { data: app, error, isPending } = useApp(name);
  const isGone = error?.status === 404;
  return (
    <>
      <PageTitle title={name}>{app && !isGone && <DeleteApp app={app} />}</PageTitle>
      {isGone ? (
        <p className="notice">
          There is no such app. <Link to="/console/apps">All apps</Link>
        </p>
      ) : (
        <NeedsKey problem={error} isLoading={isPending} what="apps" />
      )}
      {app && !isGone && (
        <>
          {app.problem !== undefined && <p className="notice bad">Not to be changed at this node: {app.problem}.</p>}
          <Parts app={name} part={part} />
          <Part key={`${name} ${part}`} app={app} part={part} />
        </>
      )}
    </>
  );
}

function Parts({ app, part }: { readonly app: string; readonly part: string }): JSX.Element {
  const row = useRef<HTMLElement>(null);
  useHereInView(row, part);
  return (
    <nav ref={row} className="tab-list" aria-label={`Parts of ${app}`}>
      {PARTS.map(([id, words]) => (
        <Link
          key={id}
          className="tab"
          to="/console/apps/$app"
          params={{ app }}
          search={{ part: id }}
          data-state={part === id ? 'active' : undefined}
          aria-current={part === id ? 'page' : undefined}
        >
          {words}
        </Link>
      ))}
    </nav>
  );
}

function Part({ app, part }: { readonly app: AppResource; readonly part: string }): JSX.Element {
  if (part === 'keys') return <StreamKeys app={app} />;
  if (part === 'tokens') {
    return (
      <>
        <TokenKeys app={app} />
        <TokenExample app={app} />
        <RevokedTokens app={app} />
      </>
    );
  }
  if (part === 'limits') return <AppLimits app={app} />;
  if (part === 'ladder') return <AppLadder app={app} />;
  if (part === 'recordings') return <AppRecordings app={app} />;
  if (part === 'webhooks') return <Webhooks app={app} />;
  return <AppSettings app={app} />;
}

function DeleteApp({ app: { name, configured } }: { readonly app: AppResource }): JSX.Element | null {
  const [isAsking, setAsking] = useState(false);
  const remove = useDeleteApp();
  const navigate = useNavigate();
  if (!useMayChange() || configured) return null;
  return (
    <>
      <button type="button" className="button danger-text" onClick={() => setAsking(true)}>
        Delete app …
      </button>
      {isAsking && (
        <ConfirmDialog
          title={`Delete ${name}?`}
          action="Delete the app"
          change={remove}
          wish={name}
          onClose={() => setAsking(false)}
          onDone={() => void navigate({ to: '/console/apps' })}
        >
          <p>Its stream keys and token keys go with it, and streams that are published into it end.</p>
        </ConfirmDialog>
      )}
    </>
  );
}
