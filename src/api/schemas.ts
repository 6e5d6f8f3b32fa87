import { type Static, type TSchema, Type } from '@sinclair/typebox';
import type {
  LocalStreamResource,
  ProblemResource,
  StreamPage,
  StreamPlaceResource,
  StreamResource,
  TranscodingResource,
} from './contract.ts';

const track = Type.Object({
  kind: Type.Union([Type.Literal('video'), Type.Literal('audio')]),
  codec: Type.String({ examples: ['h264'] }),
  codecString: Type.Optional(
    Type.String({ description: 'RFC 6381; absent where no node that has the stream has told', examples: ['avc1.64001f'] }),
  ),
  width: Type.Optional(Type.Integer()),
  height: Type.Optional(Type.Integer()),
  frameRate: Type.Optional(Type.Number({ description: 'Frames a second as the codec header says' })),
  sampleRate: Type.Optional(Type.Integer()),
  channels: Type.Optional(Type.Integer()),
});

const playability = Type.Union([
  Type.Object({
    playable: Type.Literal(true),
    rendition: Type.Optional(Type.String({ description: 'The rendition that is played in place of the track that the publisher sends' })),
  }),
  Type.Object({
    playable: Type.Literal(false),
    reason: Type.Union([Type.Literal('b-frames'), Type.Literal('codec')]),
    message: Type.String({ description: 'What is in the way, and what to do' }),
  }),
]);

const rung = Type.Object(
  {
    name: Type.String({ description: "The rendition's name", examples: ['720p'] }),
    kind: Type.Union([Type.Literal('video'), Type.Literal('audio')]),
    codec: Type.String(),
    codecString: Type.Optional(Type.String({ description: 'RFC 6381; like the bitrate, absent of one that is left out' })),
    width: Type.Optional(Type.Integer()),
    height: Type.Optional(Type.Integer()),
    bitrateBps: Type.Optional(Type.Integer({ description: 'As it is aimed at, with the sound that goes along' })),
    state: Type.Union(
      [Type.Literal('offered'), Type.Literal('running'), Type.Literal('refused'), Type.Literal('failed'), Type.Literal('left-out')],
      {
        description:
          '`offered`: made when somebody watches; `refused`: the limit of tasks is reached; `failed`: it cannot be made for now; `left-out`: this stream does not get it',
      },
    ),
    reason: Type.Optional(
      Type.String({
        description:
          'Why it is refused or failed, left out (a code, and what it means here), or made on this node where another should make it',
        examples: ['near-source: the source has nearly this size: 1280x720'],
      }),
    ),
    by: Type.Optional(Type.String({ description: 'The node that makes it, where that is another one' })),
  },
  { description: "A rung of the app's ladder as this stream gets it" },
);

const transcoding = Type.Object({
  tasksMax: Type.Integer({ description: 'Rungs that may run at a time, of all streams' }),
  tasksRunning: Type.Integer(),
  encoders: Type.Array(
    Type.Object({
      name: Type.String({ examples: ['libx264'] }),
      codec: Type.String(),
      kind: Type.String({ examples: ['software'] }),
      available: Type.Boolean(),
      reason: Type.Optional(Type.String({ description: 'Why it is not available, as FFmpeg or the driver says' })),
    }),
    { description: 'Found out once, soon after the start' },
  ),
  decisions: Type.Array(
    Type.Object({
      stream: Type.String(),
      rung: Type.String(),
      isAssigned: Type.Boolean(),
      reason: Type.String(),
      message: Type.Optional(Type.String()),
      tasksNeeded: Type.Optional(Type.Integer({ description: 'The limit with which the rung would run' })),
    }),
    { description: 'The newest decision about each rung that somebody wants' },
  ),
  streams: Type.Array(
    Type.Object({
      stream: Type.String(),
      state: Type.String({ description: "Of the stream's child process", examples: ['running'] }),
      restarts: Type.Integer(),
      lastFailure: Type.Optional(Type.String()),
      framesIn: Type.Integer(),
      framesOut: Type.Integer(),
      queuedMs: Type.Integer({ description: 'How much of the stream waits to be decoded' }),
      cpuSeconds: Type.Number(),
      rungs: Type.Array(rung),
    }),
  ),
});

const latency = Type.Object(
  { p50Ms: Type.Number(), p95Ms: Type.Number() },
  {
    description:
      "From a frame's coming in until the last viewer who keeps up has been sent it, by FLV, RTMP and WebRTC; absent while nobody watches by these",
  },
);

const settled = {
  path: Type.String({ description: '`app/name`', examples: ['live/show'] }),
  app: Type.String(),
  name: Type.String(),
  state: Type.Union([Type.Literal('live'), Type.Literal('held')], { description: '`held`: the publisher dropped and may come back' }),
  startedAt: Type.String({ format: 'date-time' }),
  uptimeSeconds: Type.Integer(),
  tracks: Type.Array(track),
  renditions: Type.Array(Type.String(), {
    description: 'The qualities that can be played; `source` is what the publisher sends',
    examples: [['source', '720p']],
  }),
  rungs: Type.Array(rung, { description: "What the app's ladder makes of this stream; empty when nothing is transcoded" }),
  publisher: Type.Object({
    protocol: Type.String(),
    address: Type.Optional(Type.String({ description: 'Only for callers with an API key or on loopback' })),
    agent: Type.Optional(Type.String({ description: 'Only for callers with an API key or on loopback' })),
  }),
  playback: Type.Object(
    { watch: Type.String(), hls: Type.String(), flv: Type.String(), whep: Type.Optional(Type.String()) },
    { description: 'Where it can be played, as paths on this server' },
  ),
};

/** What only a node that has the stream can tell. */
const figures = {
  viewers: Type.Object({ total: Type.Integer(), byProtocol: Type.Record(Type.String(), Type.Integer()) }),
  bitrateBps: Type.Integer(),
  frameRate: Type.Number({ description: 'Frames a second as measured on the lead track' }),
  keyframeIntervalMs: Type.Integer(),
  bytesIn: Type.Integer(),
  framesIn: Type.Integer(),
  timestampJumps: Type.Integer({ description: "How often the publisher's timestamps jumped" }),
  driftMs: Type.Integer({
    description:
      "By how much the publisher's timestamps have run ahead of the server's clock since it began or they jumped; negative: fallen behind. 0 until known",
  }),
  webrtc: Type.Union([Type.Object({ video: Type.Optional(playability), audio: Type.Optional(playability) }), Type.Null()], {
    description: 'What WebRTC viewers get of it; null when this server has no WebRTC',
  }),
};

const local = Type.Object({ ...settled, ...figures, latency: Type.Optional(latency) });

const place = Type.Object({
  node: Type.String({ description: 'The id of a node' }),
  region: Type.String(),
  hops: Type.Array(Type.String(), { description: 'The nodes that it passed on its way here, the origin first; empty at the origin' }),
  viewers: figures.viewers,
  bitrateBps: Type.Integer(),
  latency: Type.Optional(latency),
});

const stream = Type.Object(
  {
    ...settled,
    origin: Type.Object(
      {
        node: Type.String({ description: 'Its id' }),
        region: Type.String(),
        epoch: Type.Integer({ description: 'Grows with each change of origin; 0 on a node of its own, and until the stream is claimed' }),
        isAlive: Type.Boolean({ description: 'A stream whose origin has died stays until another node takes it' }),
      },
      { description: 'The node that holds the publisher' },
    ),
    makers: Type.Array(Type.Object({ rendition: Type.String(), node: Type.String({ description: 'The id of a node' }) }), {
      description: 'Who makes a rendition where that is not the origin',
    }),
    ...Type.Partial(Type.Object(figures)).properties,
    latency: Type.Optional(latency),
    places: Type.Optional(
      Type.Array(place, {
        description: 'The nodes that have it, the origin first; not in lists, and only for callers with an API key or on loopback',
      }),
    ),
  },
  {
    description:
      'What only a node that has the stream can tell is absent where none has told. It is told by the origin, for callers with an API key or on loopback; others get it of the node that answers, and of one stream that it has not of the origin. `viewers` are those of all nodes that have told',
  },
);

const page = Type.Object({
  items: Type.Array(stream),
  nextCursor: Type.Optional(Type.String({ description: 'Give it as `cursor` for the next page; absent on the last page' })),
});

const problemShape = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What was wrong, with the value, and what is right' }),
    code: Type.String({ description: 'Stable; what programs go by', examples: ['api.stream-not-found'] }),
  },
  { description: 'RFC 9457' },
);

export const streamSchema: TSchema = stream;
/** What nodes tell one another of a stream that they have. */
export const placeSchema: TSchema = Type.Object({ hops: Type.Array(Type.String()), stream: local });
export const streamsHereSchema: TSchema = Type.Array(
  Type.Object({ path: Type.String(), viewers: figures.viewers, stream: Type.Optional(local) }),
);
export const transcodingSchema: TSchema = transcoding;
export const streamPageSchema: TSchema = page;
export const problemSchema: TSchema = problemShape;

/** The largest page of a list. */
const PAGE_LIMIT_MAX = 200;

const pageFields = {
  limit: Type.Integer({ minimum: 1, maximum: PAGE_LIMIT_MAX, default: 50, description: 'How many items at most' }),
  cursor: Type.Optional(Type.String({ maxLength: 256, description: '`nextCursor` of the page before' })),
};
export const pageQuerySchema: TSchema = Type.Object(pageFields, { additionalProperties: false });

/** A page of a list that can be narrowed by more. */
export const narrowedPageSchema = (more: Readonly<Record<string, TSchema>>): TSchema =>
  Type.Object({ ...pageFields, ...more }, { additionalProperties: false });

export const streamListSchema: TSchema = narrowedPageSchema({
  search: Type.Optional(Type.String({ maxLength: 100, description: 'Words that the path has, all of them; case does not matter' })),
  origin: Type.Optional(Type.String({ maxLength: 64, description: 'Only those that this node is the origin of' })),
});

export const streamParamsSchema: TSchema = Type.Object(
  {
    app: Type.String({ minLength: 1, maxLength: 64, description: 'The app' }),
    name: Type.String({ minLength: 1, maxLength: 64, description: "The stream's name" }),
  },
  { additionalProperties: false },
);

// The contract is written out for its readers; these lines do not compile when it and the schemas differ.
type Same<Left, Right> = [Left] extends [Right] ? ([Right] extends [Left] ? true : never) : never;
const contractIsSchema: [
  Same<Static<typeof stream>, StreamResource>,
  Same<Static<typeof local>, LocalStreamResource>,
  Same<Static<typeof place>, StreamPlaceResource>,
  Same<Static<typeof page>, StreamPage>,
  Same<Static<typeof problemShape>, ProblemResource>,
  Same<Static<typeof transcoding>, TranscodingResource>,
] = [true, true, true, true, true, true];
void contractIsSchema;
