import { type Static, type TSchema, Type } from '@sinclair/typebox';
import type {
  JoinAnswer,
  JoinRequest,
  JoinTokenPage,
  JoinTokenResource,
  JoinTokenWish,
  NewJoinTokenResource,
  NodePage,
  NodePatch,
  NodeResource,
} from './cluster-contract.ts';

const NAME = '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$';
const DAY_S = 86_400;

const role = Type.Union([
  Type.Literal('origin'),
  Type.Literal('edge'),
  Type.Literal('transcode'),
  Type.Literal('manager'),
  Type.Literal('mono'),
]);
const status = Type.Union([Type.Literal('active'), Type.Literal('draining'), Type.Literal('disabled')], {
  description: '`draining`: takes nothing new, and what is there moves away; `disabled`: joined, but not used',
});
const region = Type.String({ pattern: NAME, description: 'A name: letters, digits, `_`, `.`, `-`', examples: ['eu'] });
const nextCursor = Type.Optional(Type.String({ description: 'Give it as `cursor` for the next page; absent on the last page' }));

const endpoints = Type.Object(
  {
    http: Type.String({ maxLength: 256, pattern: '^https?://', examples: ['https://edge1.example.org:8080'] }),
    rtmp: Type.Optional(Type.String({ maxLength: 256, pattern: '^rtmps?://', examples: ['rtmp://edge1.example.org:1935'] })),
    relay: Type.Optional(Type.String({ maxLength: 256, description: 'For other nodes', examples: ['edge1.example.org:7350'] })),
  },
  { additionalProperties: false, description: 'Where the node is reached' },
);

const load = Type.Object(
  {
    cpu: Type.Number({ description: '0 to 1, of what the process may use', examples: [0.25] }),
    memoryBytes: Type.Number(),
    memoryMaxBytes: Type.Number(),
    networkInBps: Type.Number({ description: 'Bits a second of all interfaces but loopback, whatever it was' }),
    networkOutBps: Type.Number(),
    networkMaxBps: Type.Number({ description: '0: not known' }),
    loopLagMs: Type.Number({ description: 'Lateness of the event loop, 99th percentile' }),
    viewers: Type.Object({ flv: Type.Number(), rtmp: Type.Number(), hls: Type.Number(), webrtc: Type.Number() }),
    viewersMax: Type.Number(),
    streams: Type.Number(),
    tasks: Type.Number({ description: 'Transcoding tasks' }),
    tasksMax: Type.Number(),
    diskFreeBytes: Type.Number({ description: 'In the data folder' }),
    mediaInBps: Type.Number({ description: 'Bits a second of streams, from publishers and other nodes' }),
    mediaOutBps: Type.Number({ description: 'Bits a second of streams, to viewers and other nodes' }),
    latencyP50Ms: Type.Number({
      description: "From a frame's coming in to the last viewer who keeps up having it, by FLV, RTMP and WebRTC; of the last five seconds",
    }),
    latencyP95Ms: Type.Number(),
  },
  { description: 'Of the last heartbeat. What is not known or not limited is 0' },
);

const node = Type.Object({
  id: Type.String({ examples: ['nq3d5k7w2h4m6r5ta'] }),
  name: Type.Optional(
    Type.String({ description: 'What people call it: `cluster.nodeName`, or the name of its machine', examples: ['eu-edge-1'] }),
  ),
  region: Type.String({ examples: ['eu'] }),
  roles: Type.Array(role, { examples: [['edge']] }),
  status,
  stale: Type.Boolean({ description: 'Its heartbeats have stopped, as seen by the node that answers' }),
  incarnation: Type.Integer({ description: 'Grows by one at each start of its process' }),
  self: Type.Boolean({ description: 'Whether it is the node that answers' }),
  endpoints,
  version: Type.String({ description: 'Of the software' }),
  protocol: Type.Integer({ description: 'The version of what nodes say to each other' }),
  joinedAt: Type.String({ format: 'date-time' }),
  startedAt: Type.Optional(Type.String({ format: 'date-time', description: 'When its process began' })),
  statusAt: Type.Optional(
    Type.String({ format: 'date-time', description: 'When it was given the status that it has; absent: its process began with it' }),
  ),
  statusBy: Type.Optional(
    Type.String({
      description: 'By whom, as `who` in the log of changes; its own id when its process was asked to end',
      examples: ['key:8a0d3c5e7f912b46'],
    }),
  ),
  drainDeadlineAt: Type.Optional(Type.String({ format: 'date-time', description: 'When a draining node closes what is left' })),
  heardAgoMs: Type.Integer({ description: 'How long ago the node that answers had a sign of life from it' }),
  clockOffsetMs: Type.Optional(Type.Integer({ description: 'By how much its clock is ahead' })),
  load: Type.Optional(load),
});

const nodePage = Type.Object({ items: Type.Array(node), nextCursor });

const nodePatch = Type.Object(
  {
    status,
    deadlineS: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 7 * DAY_S,
        description: 'Only with `draining`: after so long, what is left is closed',
        examples: [300],
      }),
    ),
  },
  { additionalProperties: false },
);

const tokenFields = {
  id: Type.String({ examples: ['7f3k2m9qw4xz'] }),
  roles: Type.Array(role),
  regions: Type.Array(Type.String(), { description: 'Empty: any' }),
  usesMax: Type.Integer(),
  uses: Type.Integer(),
  usedBy: Type.Array(Type.String(), { description: 'The nodes that joined with it' }),
  expiresAt: Type.String({ format: 'date-time' }),
  createdAt: Type.String({ format: 'date-time' }),
  note: Type.String(),
};
const token = Type.Object(tokenFields);
const newToken = Type.Object({
  ...tokenFields,
  token: Type.String({ description: 'Shown this once', examples: ['clt_7f3k2m9qw4xz.SECRET.PIN'] }),
});
const tokenPage = Type.Object({ items: Type.Array(token), nextCursor });

const tokenWish = Type.Object(
  {
    roles: Type.Array(role, {
      minItems: 1,
      maxItems: 5,
      default: ['edge'],
      description: 'What nodes may join as',
      examples: [['edge', 'origin']],
    }),
    regions: Type.Array(region, { maxItems: 100, default: [], description: 'The regions that nodes may join; empty: any' }),
    usesMax: Type.Integer({ minimum: 1, maximum: 1000, default: 1, description: 'How many nodes may join with it' }),
    expiresInS: Type.Integer({ minimum: 1, maximum: 365 * DAY_S, default: DAY_S, description: 'How long it holds', examples: [3600] }),
    note: Type.String({ maxLength: 100, default: '', description: 'To know it by' }),
  },
  { additionalProperties: false },
);

const joinRequest = Type.Object(
  {
    csr: Type.String({ maxLength: 8192, description: "PKCS #10, PEM; ECDSA on P-256. Its public key is the node's identity" }),
    roles: Type.Array(role, { minItems: 1, maxItems: 5, examples: [['edge']] }),
    region,
    endpoints,
    version: Type.String({ maxLength: 64 }),
    protocol: Type.Integer({ minimum: 1, description: 'The version of what nodes say to each other' }),
  },
  // A newer node may say more than this manager knows.
  { additionalProperties: true },
);

const coordination = Type.Union(
  [
    Type.Object({ kind: Type.Literal('embedded'), folder: Type.String({ description: 'On the same machine' }) }),
    Type.Object({
      kind: Type.Literal('nats'),
      servers: Type.Array(Type.String(), { examples: [['tls://10.0.0.1:4222']] }),
      user: Type.String(),
      password: Type.String(),
      ca: Type.String({ description: 'PEM of who vouches for the servers' }),
    }),
  ],
  { description: "How the node reaches the cluster's store and bus" },
);

const joinAnswer = Type.Object({
  nodeId: Type.String(),
  clusterId: Type.String(),
  clusterName: Type.String(),
  certificate: Type.String({ description: "The node's certificate, PEM" }),
  ca: Type.String({ description: "The certificate of the cluster's authority, PEM" }),
  caPrivateKey: Type.Optional(Type.String({ description: 'PEM; only for managers' })),
  coordination,
  protocol: Type.Integer(),
});

export const nodeSchema: TSchema = node;
export const nodePageSchema: TSchema = nodePage;
export const nodePatchSchema: TSchema = nodePatch;
export const joinTokenPageSchema: TSchema = tokenPage;
export const newJoinTokenSchema: TSchema = newToken;
export const joinTokenWishSchema: TSchema = tokenWish;
export const joinRequestSchema: TSchema = joinRequest;
export const joinAnswerSchema: TSchema = joinAnswer;

export const idParamsSchema: TSchema = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) }, { additionalProperties: false });

// The contract is written out for its readers; these lines do not compile when it and the schemas differ.
type Same<Left, Right> = [Left] extends [Right] ? ([Right] extends [Left] ? true : never) : never;
const contractIsSchema: [
  Same<Static<typeof node>, NodeResource>,
  Same<Static<typeof nodePage>, NodePage>,
  Same<Static<typeof nodePatch>, NodePatch>,
  Same<Static<typeof token>, JoinTokenResource>,
  Same<Static<typeof newToken>, NewJoinTokenResource>,
  Same<Static<typeof tokenPage>, JoinTokenPage>,
  Same<Static<typeof tokenWish>, JoinTokenWish>,
  Same<Static<typeof joinRequest>, JoinRequest>,
  Same<Static<typeof joinAnswer>, JoinAnswer>,
] = [true, true, true, true, true, true, true, true, true];
void contractIsSchema;
