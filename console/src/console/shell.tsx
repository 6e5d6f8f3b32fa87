import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { type JSX, useMemo, useRef } from 'react';
import type { SessionResource } from '../../../src/api/console-contract.ts';
import { PageHeader } from '../design/page-header.tsx';
import { StreamsPage } from '../streams/streams-page.tsx';
import { NodeNames, namesOf, useNodeName } from './node-names.ts';
import { Standing } from './parts.tsx';
import { useKnownNodes, useSession, useSignOut } from './queries.ts';
import { SessionContext } from './session-context.ts';
import { SignInPage } from './sign-in-page.tsx';
import { SilentServer } from './silent-server.tsx';
import { useHereInView } from './use-here-in-view.ts';
import { useLiveEvents } from './use-live-events.ts';

const SIGN_IN = '/console/sign-in';

const PLACES = [
  ['/', 'Overview'],
  ['/console/streams', 'Streams'],
  ['/console/nodes', 'Nodes'],
  ['/console/topology', 'Topology'],
  ['/console/transcoding', 'Transcoding'],
  ['/console/sources', 'Sources'],
  ['/console/routing', 'Routing'],
  ['/console/apps', 'Apps'],
  ['/console/keys', 'Keys'],
  ['/console/config', 'Configuration'],
  ['/console/events', 'Events'],
  ['/console/audit', 'Audit'],
] as const;

/** What every page stands in. Visitors without a key see the live streams, where everybody may; else they are asked to sign in. */
export function Shell(): JSX.Element {
  const { data: session, error, dataUpdatedAt } = useSession();
  const { pathname } = useLocation();
  const mayRead = session?.scope === 'read' || session?.scope === 'admin';
  const isLive = useLiveEvents(mayRead);
  const nodes = useKnownNodes(mayRead && session.server.isInCluster);
  const names = useMemo(() => namesOf(nodes), [nodes]);
  if (session?.scope === 'public' && pathname === '/') {
    return (
      <StreamsPage>
        <Link className="button" to={SIGN_IN}>
          Sign in
        </Link>
      </StreamsPage>
    );
  }
  const isSigningIn = pathname === SIGN_IN;
  return (
    <SessionContext value={session}>
      <NodeNames value={names}>
        <div className="page console">
          <a className="skip" href="#content">
            Skip to the content
          </a>
          <PageHeader>{session && <Account session={session} isSigningIn={isSigningIn} />}</PageHeader>
          {mayRead && <Places />}
          {session && error !== null && <SilentServer session={session} nodes={nodes} sinceMs={dataUpdatedAt} />}
          <main id="content" tabIndex={-1}>
            {session === undefined ? <Standing problem={error} isLoading /> : mayRead || isSigningIn ? <Outlet /> : <SignInPage />}
          </main>
          {session && <Foot session={session} mayRead={mayRead} isLive={isLive} isSilent={error !== null} />}
        </div>
      </NodeNames>
    </SessionContext>
  );
}

function Places(): JSX.Element {
  const nav = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  useHereInView(nav, pathname);
  return (
    <nav ref={nav} className="places-nav" aria-label="Console">
      {PLACES.map(([to, words]) => (
        <Link key={to} to={to} activeOptions={{ exact: to === '/' }}>
          {words}
        </Link>
      ))}
    </nav>
  );
}

function Account({ session, isSigningIn }: { readonly session: SessionResource; readonly isSigningIn: boolean }): JSX.Element | null {
  const signOut = useSignOut();
  if (session.by === 'session') {
    return (
      <>
        <span className="note account">{session.scope === 'admin' ? 'Administrator' : 'Read only'}</span>
        <button type="button" className="button" onClick={() => signOut.mutate()}>
          Sign out
        </button>
      </>
    );
  }
  if (isSigningIn) return null;
  return (
    <>
      {session.by === 'local' && <span className="note account">Read only: on this machine</span>}
      <Link className="button" to={SIGN_IN}>
        Sign in
      </Link>
    </>
  );
}

interface FootProps {
  readonly session: SessionResource;
  readonly mayRead: boolean;
  readonly isLive: boolean;
  readonly isSilent: boolean;
}

function Foot({ session: { server }, mayRead, isLive, isSilent }: FootProps): JSX.Element {
  const nodeName = useNodeName();
  const state = isSilent ? 'the server does not answer; trying again' : isLive ? 'live' : 'connecting …';
  return (
    <footer className="foot note">
      <span>
        Node {nodeName(server.node)} · Sluice {server.version}
      </span>
      {mayRead && (
        <span role="status" className={isSilent ? 'silent-dot' : isLive ? 'live-dot' : ''}>
          {state}
        </span>
      )}
      <a href="/api/docs">API</a>
    </footer>
  );
}
