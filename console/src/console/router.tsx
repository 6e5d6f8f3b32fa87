import { createRootRoute, createRoute, createRouter, Link } from '@tanstack/react-router';
import type { JSX } from 'react';
import { NodesPage } from './nodes-page.tsx';
import { OverviewPage } from './overview-page.tsx';
import { PageTitle } from './parts.tsx';
import { RelayingPage } from './relaying-page.tsx';
import { Shell } from './shell.tsx';
import { SignInPage } from './sign-in-page.tsx';
import { StreamPage } from './stream-page.tsx';
import { StreamsListPage } from './streams-list-page.tsx';
import { TopologyPage } from './topology-page.tsx';
import { TranscodingPage } from './transcoding-page.tsx';

const root = createRootRoute({ component: Shell, notFoundComponent: NowherePage });
const at = { getParentRoute: () => root };

const routes = root.addChildren([
  createRoute({ ...at, path: '/', component: OverviewPage }),
  createRoute({ ...at, path: '/console/sign-in', component: SignInPage }),
  createRoute({ ...at, path: '/console/streams', component: StreamsListPage }),
  createRoute({ ...at, path: '/console/streams/$app/$name', component: StreamPage }),
  createRoute({
    ...at,
    path: '/console/nodes',
    component: NodesPage,
    validateSearch: ({ find }): { find?: string } => (typeof find === 'string' && find !== '' ? { find } : {}),
  }),
  createRoute({ ...at, path: '/console/topology', component: TopologyPage }),
  createRoute({ ...at, path: '/console/transcoding', component: TranscodingPage }),
  createRoute({ ...at, path: '/console/sources', component: RelayingPage }),
]);

/** The pages of the console by their addresses. */
export const router = createRouter({ routeTree: routes });

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

function NowherePage(): JSX.Element {
  return (
    <>
      <PageTitle title="Nothing here" />
      <p>
        The console has no such page. <Link to="/">To the overview</Link>
      </p>
    </>
  );
}
