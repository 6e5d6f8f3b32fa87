import type { WallMs } from '../core/mod.ts';
import { type ClusterView, checkedAnswers, type KnownStream } from './cluster-view.ts';
import type { ClusterStreamDetail, ClusterStreamPage, ClusterStreamResource, StreamPlaceResource } from './console-contract.ts';
import { clusterStreamDetailSchema, clusterStreamPageSchema, placeSchema, streamSearchSchema } from './console-schemas.ts';
import type { StreamResource } from './contract.ts';
import type { Operation, OperationContext } from './operation.ts';
import { pageOf } from './page.ts';
import { ApiError } from './problem.ts';
import { streamParamsSchema } from './schemas.ts';

interface PlaceAnswer {
  readonly hops: string[];
  readonly stream: StreamResource;
}

/** The operations on the streams of all nodes. */
export function clusterStreamOperations(view: ClusterView, wall: () => WallMs): readonly Operation[] {
  const base = { scope: 'read', tag: 'cluster' } as const;
  return [
    {
      ...base,
      id: 'listClusterStreams',
      method: 'GET',
      path: '/cluster/streams',
      summary: 'List the streams of all nodes',
      description:
        'What is published on any node, ordered by path, in pages, as the node that answers knows it from the directory. On a node of its own, its streams.',
      query: streamSearchSchema,
      success: { status: 200, schema: clusterStreamPageSchema },
      handle: ({ query }) => listStreams(view, query, wall()),
    },
    {
      ...base,
      id: 'getClusterStream',
      method: 'GET',
      path: '/cluster/streams/:app/:name',
      summary: 'Look at a stream of any node',
      description:
        'What its origin says of it, and which nodes have it, by which way and with how many viewers. All nodes are asked; those that do not answer within a second are left out.',
      params: streamParamsSchema,
      success: { status: 200, schema: clusterStreamDetailSchema },
      errors: ['api.stream-not-found'],
      handle: ({ params }) => streamDetail(view, found(view, params), wall()),
    },
    {
      ...base,
      id: 'deleteClusterStream',
      method: 'DELETE',
      path: '/cluster/streams/:app/:name',
      summary: 'End a stream of any node',
      description: 'Has its origin close the publisher and end the stream. The publisher may come back: to keep it out, change the key.',
      scope: 'admin',
      params: streamParamsSchema,
      success: { status: 204 },
      errors: ['api.stream-not-found', 'cluster.node-silent'],
      handle: async ({ params }) => {
        const { name, holder } = found(view, params);
        const isEnded = await view.ask(holder.node, 'end-stream', name);
        if (isEnded === undefined) throw new ApiError('cluster.node-silent', `the origin ${holder.node} does not answer: try again soon`);
        if (isEnded !== true) throw notFound(name);
      },
    },
  ];
}

const notFound = (path: string): ApiError => new ApiError('api.stream-not-found', `${JSON.stringify(path)} is not live now`);

function found(view: ClusterView, params: OperationContext['params']): KnownStream {
  const path = `${params['app']}/${params['name']}`;
  const stream = view.stream(path);
  if (stream === undefined) throw notFound(path);
  return stream;
}

function listStreams(view: ClusterView, query: OperationContext['query'], now: WallMs): ClusterStreamPage {
  const words = ((query['search'] as string | undefined) ?? '').toLowerCase().split(/\s+/);
  const origin = query['origin'] as string | undefined;
  const wanted: KnownStream[] = [];
  for (const stream of view.streams()) {
    if (origin !== undefined && stream.holder.node !== origin) continue;
    const path = stream.name.toLowerCase();
    if (words.every((word) => path.includes(word))) wanted.push(stream);
  }
  const regions = regionsOf(view);
  const { items, ...rest } = pageOf(wanted, ({ name }) => name, query);
  return { items: items.map((stream) => clusterStream(stream, view, regions, now)), ...rest };
}

async function streamDetail(view: ClusterView, stream: KnownStream, now: WallMs): Promise<ClusterStreamDetail> {
  const regions = regionsOf(view);
  const answers = await checkedAnswers<PlaceAnswer>(view, 'stream', placeSchema, stream.name);
  const atOrigin = answers.find(({ node }) => node === stream.holder.node)?.answer;
  const places = answers.map(
    ({ node, answer: { hops, stream: here } }): StreamPlaceResource => ({
      node,
      region: regions.get(node) ?? '',
      hops,
      viewers: here.viewers,
      bitrateBps: here.bitrateBps,
    }),
  );
  const order = (place: StreamPlaceResource): number => (place.node === stream.holder.node ? -1 : place.hops.length);
  return {
    ...clusterStream(stream, view, regions, now),
    ...(atOrigin === undefined ? {} : { atOrigin: atOrigin.stream }),
    places: places.sort((left, right) => order(left) - order(right)),
  };
}

const regionsOf = (view: ClusterView): ReadonlyMap<string, string> => new Map([...view.nodes()].map(({ id, region }) => [id, region]));

function clusterStream(
  { name: path, holder, epoch, body }: KnownStream,
  view: ClusterView,
  regions: ReadonlyMap<string, string>,
  now: WallMs,
): ClusterStreamResource {
  const [app = '', name = ''] = path.split('/');
  const { startedWallMs, state, protocol, tracks, renditions, makers = {} } = body;
  return {
    path,
    app,
    name,
    state,
    protocol,
    origin: holder.node,
    region: regions.get(holder.node) ?? '',
    isOriginAlive: view.isAlive(holder.node),
    epoch,
    startedAt: new Date(startedWallMs).toISOString(),
    uptimeSeconds: Math.max(0, Math.floor((now - startedWallMs) / 1000)),
    tracks: tracks.map((track) => ({ ...track })),
    renditions: ['source', ...renditions],
    makers: Object.entries(makers).map(([rendition, { node }]) => ({ rendition, node })),
  };
}
