import { type Static, type TSchema, Type } from '@sinclair/typebox';
import type { AlarmResource, OverviewResource, RelayList } from './console-contract.ts';
import { narrowedPageSchema, transcodingSchema } from './schemas.ts';
import { sourceSchema } from './sources.ts';
import { targetSchema } from './targets.ts';

const nodeId = Type.String({ description: 'The id of a node' });

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
  networkInBps: Type.Number({ description: 'Bits a second of the network interfaces of all nodes that are alive, but loopback' }),
  networkOutBps: Type.Number(),
  mediaInBps: Type.Number({ description: 'Bits a second of streams, from publishers and, on the way between nodes, at each of them' }),
  mediaOutBps: Type.Number({ description: 'Likewise, to viewers and other nodes' }),
  latency: Type.Optional(
    Type.Object(
      { node: nodeId, p50Ms: Type.Number(), p95Ms: Type.Number() },
      {
        description:
          "Of the node where it is longest: from a frame's coming in to its last viewer having it. Absent: nobody watches by FLV, RTMP or WebRTC",
      },
    ),
  ),
  slowestRelay: Type.Optional(
    Type.Object(
      { from: nodeId, to: nodeId, p50Ms: Type.Number() },
      { description: 'The step between two nodes that takes longest; absent: nothing is relayed' },
    ),
  ),
  nodes: Type.Object({
    total: Type.Integer(),
    active: Type.Integer(),
    draining: Type.Integer(),
    disabled: Type.Integer(),
    stale: Type.Integer({ description: 'Of any status' }),
  }),
  alarms: Type.Array(alarm, { description: 'The serious ones first; at most 100' }),
});

export const relayListSchema: TSchema = relays;
export const overviewSchema: TSchema = overview;
export const alarmsSchema: TSchema = Type.Array(alarm);
export const hopsSchema: TSchema = relays.properties.items;

const perNode = (content: Record<string, TSchema>): TSchema =>
  Type.Object({ items: Type.Array(Type.Object({ node: nodeId, ...content })) });
export const sourceItemsSchema: TSchema = Type.Array(sourceSchema);
export const targetItemsSchema: TSchema = Type.Array(targetSchema);
export const nodeSourcesSchema: TSchema = perNode({ items: sourceItemsSchema });
export const nodeTargetsSchema: TSchema = perNode({ items: targetItemsSchema });
export const nodeTranscodingSchema: TSchema = perNode({ transcoding: transcodingSchema });

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
  Same<Static<typeof relays>, RelayList>,
  Same<Static<typeof alarm>, AlarmResource>,
  Same<Static<typeof overview>, OverviewResource>,
] = [true, true, true];
void contractIsSchema;
