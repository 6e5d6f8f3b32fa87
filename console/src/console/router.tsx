import { createRootRoute, createRoute, createRouter, type ErrorComponentProps, Link, lazyRouteComponent } from '@tanstack/react-router';
import type { JSX } from 'react';
import { OverviewPage } from './overview-page.tsx';
import { PageTitle } from './parts.tsx';
import { Shell } from './shell.tsx';
import { SignInPage } from './sign-in-page.tsx';

const root = createRootRoute({ component: Shell, notFoundComponent: NowherePage });
const at = { getParentRoute: () => root };

type Texts<Key extends string> = { readonly [Name in Key]?: string };

/** Of an address's query, the texts under `keys` that are not empty. */
const textsOf =
  <Key extends string>(...keys: readonly Key[]) =>
  (search: Record<string, unknown>): Texts<Key> =>
    Object.fromEntries(
      keys.flatMap((key) => (search[key] === undefined || search[key] === '' ? [] : [[key, String(search[key])]])),
    ) as Texts<Key>;

// Only what is seen first is in the first files; the other pages come when one goes there.
const routes = root.addChildren([
  createRoute({ ...at, path: '/', component: OverviewPage }),
  createRoute({ ...at, path: '/console/sign-in', component: SignInPage }),
  createRoute({
    ...at,
    path: '/console/streams',
    component: lazyRouteComponent(() => import('./streams-list-page.tsx'), 'StreamsListPage'),
  }),
  createRoute({
    ...at,
    path: '/console/streams/$app/$name',
    component: lazyRouteComponent(() => import('./stream-page.tsx'), 'StreamPage'),
  }),
  createRoute({
    ...at,
    path: '/console/nodes',
    component: lazyRouteComponent(() => import('./nodes-page.tsx'), 'NodesPage'),
    validateSearch: textsOf('find'),
  }),
  createRoute({ ...at, path: '/console/nodes/$node', component: lazyRouteComponent(() => import('./node-page.tsx'), 'NodePage') }),
  createRoute({ ...at, path: '/console/topology', component: lazyRouteComponent(() => import('./topology-page.tsx'), 'TopologyPage') }),
  createRoute({
    ...at,
    path: '/console/transcoding',
    component: lazyRouteComponent(() => import('./transcoding-page.tsx'), 'TranscodingPage'),
  }),
  createRoute({ ...at, path: '/console/sources', component: lazyRouteComponent(() => import('./relaying-page.tsx'), 'RelayingPage') }),
  createRoute({ ...at, path: '/console/apps', component: lazyRouteComponent(() => import('./apps-page.tsx'), 'AppsPage') }),
  createRoute({
    ...at,
    path: '/console/apps/$app',
    component: lazyRouteComponent(() => import('./app-page.tsx'), 'AppPage'),
    validateSearch: textsOf('part'),
  }),
  createRoute({ ...at, path: '/console/keys', component: lazyRouteComponent(() => import('./keys-page.tsx'), 'KeysPage') }),
  createRoute({
    ...at,
    path: '/console/routing',
    component: lazyRouteComponent(() => import('./routing-page.tsx'), 'RoutingPage'),
    validateSearch: (search: Record<string, unknown>): Texts<'stream' | 'region' | 'address'> & { readonly publish?: boolean } => ({
      ...textsOf('stream', 'region', 'address')(search),
      ...(search['publish'] === true ? { publish: true } : {}),
    }),
  }),
  createRoute({ ...at, path: '/console/config', component: lazyRouteComponent(() => import('./config-page.tsx'), 'ConfigPage') }),
  createRoute({ ...at, path: '/console/events', component: lazyRouteComponent(() => import('./events-page.tsx'), 'EventsPage') }),
  createRoute({
    ...at,
    path: '/console/audit',
    component: lazyRouteComponent(() => import('./audit-page.tsx'), 'AuditPage'),
    validateSearch: textsOf('find'),
  }),
]);

/** The pages of the console by their addresses. */
export const router = createRouter({ routeTree: routes, defaultPreload: 'intent', defaultErrorComponent: BrokenPage });

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

/** Most likely the part of the console that this page is in did not come. */
function BrokenPage({ error }: ErrorComponentProps): JSX.Element {
  return (
    <>
      <PageTitle title="This page did not come" />
      <p className="notice bad" role="alert">
        {error instanceof Error ? error.message : String(error)}
      </p>
      <p>
        <button type="button" className="button" onClick={() => location.reload()}>
          Load it again
        </button>
      </p>
    </>
  );
}
