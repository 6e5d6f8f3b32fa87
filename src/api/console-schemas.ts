import { type Static, type TSchema, Type } from '@sinclair/typebox';
import type { AlarmResource, ClusterStreamPage, OverviewResource, RelayList, StreamPlaceResource } from './console-contract.ts';
import { narrowedPageSchema, streamSchema, transcodingSchema } from './schemas.ts';
import { sourceSchema } from './sources.ts';
import { targetSchema } from './targets.ts';

const viewers = Type.Object({ total: Type.Integer(), byProtocol: Type.Record(Type.String(), Type.Integer()) });
const nodeId = Type.String({ description: 'The id of a node' });

const fields = {
  path: Type.String({ description: '`app/name`', examples: ['live/show'] }),
  app: Type.String(),
  name: Type.String(),
  state: Type.Union([Type.Literal('live'), Type.Literal('held')], { description: '`held`: the publisher dropped and may come back' }),
  protocol: Type.String({ description: 'How the publisher sends', examples: ['rtmp'] }),
  origin: Type.String({ description: 'The id of the node that holds the publisher' }),
  region: Type.String({ description: "The origin's" }),
  isOriginAlive: Type.Boolean({ description: 'A stream whose origin has died stays until another node takes it' }),
  epoch: Type.Integer({ description: 'Grows with each change of origin; 0 on a node of its own' }),
  startedAt: Type.String({ format: 'date-time' }),
  uptimeSeconds: Type.Integer(),
  tracks: Type.Array(
    Type.Object({
      kind: Type.Union([Type.Literal('video'), Type.Literal('audio')]),
      codec: Type.String(),
      width: Type.Optional(Type.Integer()),
      height: Type.Optional(Type.Integer()),
    }),
  ),
  renditions: Type.Array(Type.String(), { examples: [['source', '720p']] }),
  makers: Type.Array(Type.Object({ rendition: Type.String(), node: nodeId }), {
    description: 'Who makes a rendition where that is not the origin',
  }),
};
const place = Type.Object({
  node: nodeId,
  region: Type.String(),
  hops: Type.Array(Type.String(), { description: 'The nodes that it passed on its way here, the origin first; empty at the origin' }),
  viewers,
  bitrateBps: Type.Integer(),
});
const page = Type.Object({
  items: Type.Array(Type.Object(fields)),
  nextCursor: Type.Optional(Type.String({ description: 'Give it as `cursor` for the next page; absent on the last page' })),
});
const relays = Type.Object({
  items: Type.Array(
    Type.Object({
      from: nodeId,
      to: Type.String({ description: 'The node that pulls' }),
      streamCount: Type.Integer(),
      streams: Type.Array(Type.String(), { description: 'The paths of the first 20 of them' }),
      p50Ms: Type.Optional(Type.Number({ description: 'Half of the frames came within so long of being sent, by both clocks' })),
      p99Ms: Type.Optional(Type.Number()),
    }),
  ),
});
const alarm = Type.Object({
  kind: Type.Union([
    Type.Literal('node-stale'),
    Type.Literal('node-cut-off'),
    Type.Literal('origin-dead'),
    Type.Literal('rung-failed'),
    Type.Literal('rung-refused'),
    Type.Literal('target-failing'),
    Type.Literal('source-failing'),
    Type.Literal('recording-failing'),
  ]),
  severity: Type.Union([Type.Literal('serious'), Type.Literal('warning')]),
  node: nodeId,
  stream: Type.Optional(Type.String({ description: '`app/name`' })),
  message: Type.String({ description: 'For people', examples: ['Node edge-2 has not been heard of for 31 s'] }),
});
const overview = Type.Object({
  streams: Type.Integer(),
  viewers: Type.Object({
    total: Type.Integer(),
    byProtocol: Type.Object({ flv: Type.Integer(), rtmp: Type.Integer(), hls: Type.Integer(), webrtc: Type.Integer() }),
  }),
  networkInBps: Type.Number({ description: 'Of all nodes that are alive' }),
  networkOutBps: Type.Number(),
  nodes: Type.Object({
    total: Type.Integer(),
    active: Type.Integer(),
    draining: Type.Integer(),
    disabled: Type.Integer(),
    stale: Type.Integer({ description: 'Of any status' }),
  }),
  alarms: Type.Array(alarm, { description: 'The serious ones first; at most 100' }),
});

export const clusterStreamPageSchema: TSchema = page;
export const clusterStreamDetailSchema: TSchema = Type.Object({
  ...fields,
  atOrigin: Type.Optional(streamSchema),
  places: Type.Array(place, { description: 'The nodes that have it' }),
});
export const relayListSchema: TSchema = relays;
export const overviewSchema: TSchema = overview;
export const alarmsSchema: TSchema = Type.Array(alarm);
export const hopsSchema: TSchema = relays.properties.items;
export const placeSchema: TSchema = Type.Object({ hops: Type.Array(Type.String()), stream: streamSchema });

const perNode = (content: Record<string, TSchema>): TSchema =>
  Type.Object({ items: Type.Array(Type.Object({ node: nodeId, ...content })) });
export const sourceItemsSchema: TSchema = Type.Array(sourceSchema);
export const targetItemsSchema: TSchema = Type.Array(targetSchema);
export const nodeSourcesSchema: TSchema = perNode({ items: sourceItemsSchema });
export const nodeTargetsSchema: TSchema = perNode({ items: targetItemsSchema });
export const nodeTranscodingSchema: TSchema = perNode({ transcoding: transcodingSchema });

export const streamSearchSchema: TSchema = narrowedPageSchema({
  search: Type.Optional(Type.String({ maxLength: 100, description: 'Words that the path has, all of them; case does not matter' })),
  origin: Type.Optional(Type.String({ maxLength: 64, description: 'Only those that this node is the origin of' })),
});

export const ofNodeSchema: TSchema = Type.Object(
  { node: Type.Optional(Type.String({ maxLength: 64, description: 'Only of this node, which alone is asked' })) },
  { additionalProperties: false },
);

export const auditSearchSchema: TSchema = narrowedPageSchema({
  search: Type.Optional(
    Type.String({ maxLength: 100, description: 'Words in who, address, action, app and target, all of them; case does not matter' }),
  ),
});

// The contract is written out for its readers; these lines do not compile when it and the schemas differ.
type Same<Left, Right> = [Left] extends [Right] ? ([Right] extends [Left] ? true : never) : never;
const contractIsSchema: [
  Same<Static<typeof page>, ClusterStreamPage>,
  Same<Static<typeof place>, StreamPlaceResource>,
  Same<Static<typeof relays>, RelayList>,
  Same<Static<typeof alarm>, AlarmResource>,
  Same<Static<typeof overview>, OverviewResource>,
] = [true, true, true, true, true];
void contractIsSchema;
