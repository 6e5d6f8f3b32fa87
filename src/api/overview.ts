import { RECORDING_ENDS, type RecordingState } from '../recording/mod.ts';
import type { NodeResource } from './cluster-contract.ts';
import { type ClusterView, checkedAnswerOf, checkedAnswers } from './cluster-view.ts';
import type {
  AlarmResource,
  NodeSourcesList,
  NodeTargetsList,
  NodeTranscodingList,
  OverviewResource,
  RelayList,
  RelayResource,
  SourceResource,
  TargetResource,
  TranscodingResource,
} from './console-contract.ts';
import {
  alarmsSchema,
  hopsSchema,
  nodeSourcesSchema,
  nodeTargetsSchema,
  nodeTranscodingSchema,
  ofNodeSchema,
  overviewSchema,
  relayListSchema,
  sourceItemsSchema,
  targetItemsSchema,
} from './console-schemas.ts';
import { appOf } from './grant.ts';
import type { Operation } from './operation.ts';
import { transcodingSchema } from './schemas.ts';

const ALARMS_MAX = 100;

/** What all nodes together do: `GET /overview`, and what each says of its relays, transcoding, sources and targets. */
export function overviewOperations(view: ClusterView): readonly Operation[] {
  const base = { method: 'GET', scope: 'read', tag: 'cluster' } as const;
  const silent = 'All nodes are asked; those that do not answer within a second are left out.';
  return [
    {
      ...base,
      id: 'getOverview',
      path: '/overview',
      summary: 'Look at everything at a glance',
      description: `Streams, viewers, media, latency and nodes, and what an operator should look at. ${silent}`,
      success: { status: 200, schema: overviewSchema },
      handle: () => overviewOf(view),
    },
    {
      ...base,
      id: 'listRelays',
      path: '/cluster/relays',
      summary: 'List the relays between nodes',
      description: `Which node pulls from which, and how long that takes. ${silent}`,
      success: { status: 200, schema: relayListSchema },
      handle: async (): Promise<RelayList> => ({
        items: (await checkedAnswers<RelayResource[]>(view, 'relays', hopsSchema)).flatMap(({ answer }) => answer),
      }),
    },
    {
      ...base,
      id: 'listClusterTranscoding',
      path: '/cluster/transcoding',
      summary: 'Look at transcoding on all nodes',
      description: `As GET /transcoding, of each node. ${silent}`,
      query: ofNodeSchema,
      success: { status: 200, schema: nodeTranscodingSchema },
      handle: ({ query }) => transcodingOf(view, query['node'] as string | undefined),
    },
    {
      ...base,
      id: 'listClusterSources',
      scope: 'app-read',
      path: '/cluster/sources',
      summary: 'List the pull sources of all nodes',
      description: `At most 200 of each node, of the apps that the key may see. ${silent}`,
      success: { status: 200, schema: nodeSourcesSchema },
      handle: async ({ grant }): Promise<NodeSourcesList> => ({
        items: (await checkedAnswers<SourceResource[]>(view, 'sources', sourceItemsSchema)).map(({ node, answer }) => ({
          node,
          items: answer.filter(({ stream }) => grant.maySee(appOf(stream))),
        })),
      }),
    },
    {
      ...base,
      id: 'listClusterTargets',
      scope: 'app-read',
      path: '/cluster/targets',
      summary: 'List what the streams of all nodes are pushed to',
      description: `At most 200 of each node, of the apps that the key may see. ${silent}`,
      success: { status: 200, schema: nodeTargetsSchema },
      handle: async ({ grant }): Promise<NodeTargetsList> => ({
        items: (await checkedAnswers<TargetResource[]>(view, 'targets', targetItemsSchema)).map(({ node, answer }) => ({
          node,
          items: answer.filter(({ stream }) => grant.maySee(appOf(stream))),
        })),
      }),
    },
  ];
}

async function transcodingOf(view: ClusterView, of: string | undefined): Promise<NodeTranscodingList> {
  const answers =
    of === undefined
      ? await checkedAnswers<TranscodingResource>(view, 'transcoding', transcodingSchema)
      : await checkedAnswerOf<TranscodingResource>(view, of, 'transcoding', transcodingSchema);
  return { items: answers.map(({ node, answer }) => ({ node, transcoding: answer })) };
}

async function overviewOf(view: ClusterView): Promise<OverviewResource> {
  const nodes = [...view.nodes()];
  const alive = nodes.filter(({ stale }) => !stale);
  const sum = (read: (load: NonNullable<(typeof nodes)[number]['load']>) => number): number =>
    Math.round(alive.reduce((total, { load }) => total + (load === undefined ? 0 : read(load)), 0));
  const byProtocol = {
    flv: sum(({ viewers }) => viewers.flv),
    rtmp: sum(({ viewers }) => viewers.rtmp),
    hls: sum(({ viewers }) => viewers.hls),
    webrtc: sum(({ viewers }) => viewers.webrtc),
  };
  const count = (status: string): number => nodes.filter((node) => node.status === status).length;
  const [told, relays] = await Promise.all([
    checkedAnswers<AlarmResource[]>(view, 'alarms', alarmsSchema),
    checkedAnswers<RelayResource[]>(view, 'relays', hopsSchema),
  ]);
  const streams = [...view.streams()];
  const alarms = [...clusterAlarms(view, nodes, streams), ...told.flatMap(({ answer }) => answer)];
  return {
    streams: streams.length,
    viewers: { total: byProtocol.flv + byProtocol.rtmp + byProtocol.hls + byProtocol.webrtc, byProtocol },
    networkInBps: sum(({ networkInBps }) => networkInBps),
    networkOutBps: sum(({ networkOutBps }) => networkOutBps),
    mediaInBps: sum(({ mediaInBps }) => mediaInBps),
    mediaOutBps: sum(({ mediaOutBps }) => mediaOutBps),
    ...longestLatency(alive),
    ...slowestRelay(relays.flatMap(({ answer }) => answer)),
    nodes: {
      total: nodes.length,
      active: count('active'),
      draining: count('draining'),
      disabled: count('disabled'),
      stale: nodes.length - alive.length,
    },
    alarms: alarms.sort((left, right) => weight(left) - weight(right)).slice(0, ALARMS_MAX),
  };
}

function longestLatency(nodes: readonly Pick<NodeResource, 'id' | 'load'>[]): Pick<OverviewResource, 'latency'> {
  let latency: OverviewResource['latency'];
  for (const { id, load } of nodes) {
    if (load === undefined || load.latencyP95Ms <= (latency?.p95Ms ?? 0)) continue;
    latency = { node: id, p50Ms: load.latencyP50Ms, p95Ms: load.latencyP95Ms };
  }
  return latency === undefined ? {} : { latency };
}

function slowestRelay(relays: readonly RelayResource[]): Pick<OverviewResource, 'slowestRelay'> {
  let slowest: OverviewResource['slowestRelay'];
  for (const { from, to, p50Ms, streamCount } of relays) {
    // A relay that carries nothing now says what it did before.
    if (p50Ms === undefined || streamCount === 0 || p50Ms <= (slowest?.p50Ms ?? Number.NEGATIVE_INFINITY)) continue;
    slowest = { from, to, p50Ms };
  }
  return slowest === undefined ? {} : { slowestRelay: slowest };
}

const weight = ({ severity }: AlarmResource): number => (severity === 'serious' ? 0 : 1);

/** What this node sees of the others. */
function clusterAlarms(
  view: ClusterView,
  nodes: readonly { readonly id: string; readonly stale: boolean; readonly heardAgoMs: number }[],
  streams: readonly { readonly name: string; readonly holder: { readonly node: string } }[],
): readonly AlarmResource[] {
  const cutOff: AlarmResource[] = view.isConnected
    ? []
    : [
        {
          kind: 'node-cut-off',
          severity: 'serious',
          node: view.ownId,
          message: 'This node cannot reach the cluster: it goes by what it knew',
        },
      ];
  const stale = nodes
    .filter((node) => node.stale)
    .map(
      ({ id, heardAgoMs }): AlarmResource => ({
        kind: 'node-stale',
        severity: 'serious',
        node: id,
        message: `No sign of life for ${Math.round(heardAgoMs / 1000)} s`,
      }),
    );
  const dead = streams
    .filter(({ holder }) => !view.isAlive(holder.node))
    .map(
      ({ name, holder }): AlarmResource => ({
        kind: 'origin-dead',
        severity: 'serious',
        node: holder.node,
        stream: name,
        message: 'Its origin is gone: it waits for its publisher on another node',
      }),
    );
  return [...cutOff, ...stale, ...dead];
}

/** What a node has to say of what goes wrong on it. */
export function nodeAlarms(
  node: string,
  transcoding: TranscodingResource,
  sources: readonly SourceResource[],
  targets: readonly TargetResource[],
  recordings: ReadonlyMap<string, RecordingState>,
): readonly AlarmResource[] {
  const rungs = transcoding.streams.flatMap(({ stream, rungs: all }) => all.map((rung) => ({ stream, ...rung })));
  return [
    ...rungs
      .filter(({ state }) => state === 'failed' || state === 'refused')
      .map(
        ({ stream, name, state, reason = 'no reason was given' }): AlarmResource => ({
          kind: state === 'failed' ? 'rung-failed' : 'rung-refused',
          severity: state === 'failed' ? 'serious' : 'warning',
          node,
          stream,
          message: `Rendition ${name}: ${reason}`,
        }),
      ),
    ...targets
      .filter(({ state }) => state === 'retrying' || state === 'refused')
      .map(
        ({ stream, name, reason }): AlarmResource => ({
          kind: 'target-failing',
          severity: 'warning',
          node,
          stream,
          message: `Target ${name}: ${reason?.message ?? 'the last attempt failed'}`,
        }),
      ),
    ...sources
      .filter(({ state, lastError }) => state === 'waiting' && lastError !== undefined)
      .map(
        ({ stream, lastError }): AlarmResource => ({
          kind: 'source-failing',
          severity: 'warning',
          node,
          stream,
          message: `Pull source: ${lastError?.message ?? ''}`,
        }),
      ),
    ...[...recordings].flatMap(([stream, state]): AlarmResource[] =>
      state === 'recording' || state === 'waiting'
        ? []
        : [{ kind: 'recording-failing', severity: 'serious', node, stream, message: `It is not recorded: ${RECORDING_ENDS[state]}` }],
    ),
  ].slice(0, ALARMS_MAX);
}
