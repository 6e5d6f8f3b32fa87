import { type Static, type TObject, Type } from '@sinclair/typebox';
import { FILE_MINUTES_MAX, KEEP_DAYS_MAX } from '../../access/mod.ts';
import { clusterSchema } from './cluster-schema.ts';
import type { AppConfig, Config } from './config.ts';
import { choice, flag, group, host, integer, port, text } from './schema-parts.ts';

const SECOND = 1000;
const KIB = 1024;
const MIB = 1024 * KIB;

const certFile = text('', 'File with the certificate chain (PEM). Relative paths start at the configuration file.');
const keyFile = text('', 'File with the private key of the certificate (PEM).');

const LIMIT_MAX = 1_000_000_000_000;
const limit = (description: string) => integer(-1, -1, LIMIT_MAX, `${description} -1: no limit.`);

const LADDER_RUNGS_MAX = 12;
const BITRATE_BPS_MAX = 100_000_000;

const rung = group('One quality.', {
  name: Type.String({
    minLength: 1,
    maxLength: 64,
    description: 'Its name, in the API, in the menu of the watch page and in URLs; unique in the ladder.',
  }),
  codec: choice(
    'h264',
    ['h264', 'vp8', 'vp9', 'av1', 'hevc', 'aac', 'opus'],
    "What it is encoded in. `aac` and `opus` make a rung of sound; the others one of pictures, with the source's sound.",
  ),
  height: integer(
    0,
    0,
    4320,
    "Lines of the picture, an even number: `720` makes 1280x720 of a wide source and 720x1280 of a tall one. 0 is the source's own size, made only for sources that WebRTC cannot play as they are.",
  ),
  frameRateMax: integer(0, 0, 240, 'Frames a second at most. 0: as many as the source has.'),
  bitrateBps: integer(
    0,
    0,
    BITRATE_BPS_MAX,
    'Bits a second of its pictures or its sound. 0: chosen by size and frame rate, or number of channels.',
  ),
  preset: choice(
    'veryfast',
    ['ultrafast', 'superfast', 'veryfast', 'faster', 'fast', 'medium'],
    'How much work the encoder takes for the same bit rate: slower presets look better.',
  ),
  encoder: Type.String({
    default: 'auto',
    minLength: 2,
    maxLength: 32,
    description: '`software`, or the name of an encoder as the API lists them, e.g. `h264_nvenc`. `auto`: what `transcode.encoder` says.',
  }),
  channels: integer(0, 0, 2, 'Channels of a rung of sound. 0: as many as the source has, at most 2.'),
});

const ladder = group("The qualities that an app's streams are offered in; see docs/transcoding.md.", {
  template: choice(
    'webrtc',
    ['off', 'webrtc', 'abr', 'custom'],
    '`webrtc`: what it takes for WebRTC viewers to see and hear any source. `abr`: that, and 720p, 480p and 360p. `custom`: exactly `rungs`. `off`: nothing.',
  ),
  rungs: Type.Array(rung, { default: [], maxItems: LADDER_RUNGS_MAX, description: 'The rungs of the template `custom`.' }),
  always: flag(false, 'Whether the rungs are made without viewers, too. Otherwise each begins with its first viewer.'),
  lingerMs: integer(10 * SECOND, 0, 3600 * SECOND, 'How long a rung goes on after its last viewer left.'),
});

const source = group('An input that the server fetches by itself.', {
  url: Type.String({
    default: '',
    maxLength: 2048,
    secret: true,
    description:
      'Where it is; must be given. `rtsp://`, `rtsps://`, `rtmp://`, `rtmps://`, `srt://HOST:PORT`, `udp://GROUP:PORT`, `http://` and `https://` (HLS and files), or the absolute path of a file, which is played in a loop. User name and password may stand in it; they are never shown.',
  }),
  mode: choice(
    'on-demand',
    ['on-demand', 'always'],
    '`on-demand`: it is fetched while somebody watches, and the first viewer waits for it. `always`: as long as the server runs.',
  ),
  rtspTransport: choice(
    'tcp',
    ['tcp', 'udp'],
    'How an RTSP server sends: within the connection, or in datagrams for those that can do nothing else.',
  ),
  lingerMs: integer(10 * SECOND, 0, 3600 * SECOND, 'How long a source on demand goes on after its last viewer left.'),
  stallMs: integer(10 * SECOND, SECOND, 600 * SECOND, 'How long it may give no frame before it is opened anew.'),
});

const target = group('One place that streams are pushed to.', {
  name: Type.String({ minLength: 1, maxLength: 64, description: 'Its name, in the API and in the log; unique in the app.' }),
  url: Type.String({
    minLength: 1,
    maxLength: 2000,
    secret: true,
    description:
      'Where it is: `rtmp://HOST/APP/KEY`, `rtmps://…`, `srt://HOST:PORT?streamid=…`, or `https://…` for WHIP. `{app}` and `{name}` stand for the stream. Keys in it are never shown.',
  }),
  token: Type.String({ default: '', maxLength: 2000, secret: true, description: 'The bearer token of a WHIP target.' }),
  streams: Type.String({
    default: '*',
    minLength: 1,
    maxLength: 64,
    description: 'Which streams, by name: `*` stands for any characters, e.g. `show-*`.',
  }),
  rendition: Type.String({
    default: 'source',
    minLength: 1,
    maxLength: 64,
    description:
      'What is sent: `source`, or the name of a rung. WHIP targets get in place of a `source` that they cannot take what WebRTC viewers get.',
  }),
});

const TARGETS_MAX = 16;

const app = group('An app: a namespace of streams with its own keys.', {
  keys: Type.Array(Type.String({ minLength: 8, maxLength: 256 }), {
    default: [],
    maxItems: 1000,
    description:
      'Stream keys that may publish into this app. When empty, one is made on start and kept in the data folder (`sluice keys show`).',
    secret: true,
  }),
  publishFromLoopback: flag(true, 'Whether a publisher on this machine (loopback) may publish without a key.'),
  secondPublisher: choice(
    'reject',
    ['reject', 'takeover', 'standby'],
    'What happens to a second publisher of a live stream: it is refused, or it takes the stream over from the first. `standby`: where it publishes to another node of a cluster, it is kept, and takes over as soon as the first one is gone; on the same node it is refused.',
  ),
  limits: group(
    'What the app may use at most, over the whole cluster; -1: no limit. What the API sets of it counts instead; see docs/access.md.',
    {
      streams: limit('Streams that are published at a time.'),
      viewers: limit('Viewers at a time, by all protocols.'),
      bitrateInBps: limit('Bits a second of all its publishers together.'),
      bitrateOutBps: limit('Bits a second to all its viewers together.'),
      transcodeMinutes: limit('Minutes of rungs that are made in a calendar month (UTC).'),
      recordingMinutes: limit('Minutes of streams that are recorded in a calendar month (UTC).'),
    },
  ),
  recording: group('What of its streams is recorded. What the API sets of it counts instead; see docs/recording.md.', {
    mode: choice('off', ['off', 'always'], '`always`: each stream, for as long as it is published, in `recordings` in the data folder.'),
    fileMinutes: integer(60, 1, FILE_MINUTES_MAX, 'A file that is as long is followed by another one, at a keyframe.'),
    keepDays: integer(0, 0, KEEP_DAYS_MAX, 'A recording is deleted so long after its end. 0: never.'),
  }),
  ladder,
  sources: Type.Record(Type.String(), source, {
    default: {},
    description: 'Its pull sources, by the name of the stream that they are published as; see docs/sources.md.',
  }),
  targets: Type.Array(target, { default: [], maxItems: TARGETS_MAX, description: 'Where its streams are pushed to; see docs/targets.md.' }),
});

const schema = Type.Object(
  {
    dataFolder: text(
      './data',
      'Folder for what the server keeps: keys. Made on first start, readable by its owner alone. Relative paths start at the configuration file.',
    ),
    log: group('Logging, to standard output.', {
      level: choice('info', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'The least important lines that are written.'),
      format: choice('auto', ['auto', 'pretty', 'json'], '`auto` is pretty on a terminal and JSON lines elsewhere.'),
    }),
    http: group('The HTTP server: watch page, HLS, HTTP-FLV, API, metrics, health.', {
      host,
      port: port(8080, 'TCP port.'),
      tls: group('HTTPS with HTTP/2 on the same port, when both files are given.', {
        certFile,
        keyFile,
        hstsMaxAgeS: integer(
          365 * 86_400,
          0,
          10 * 365 * 86_400,
          'For how long browsers that have come by HTTPS come by nothing else (`Strict-Transport-Security`); 0: they are not told.',
        ),
      }),
      headersTimeoutMs: integer(10 * SECOND, 100, 600 * SECOND, "How long a client may take to send a request's headers."),
      requestTimeoutMs: integer(
        30 * SECOND,
        100,
        600 * SECOND,
        'How long a client may take to send a whole request. Answers may take as long as they like.',
      ),
      keepAliveTimeoutMs: integer(75 * SECOND, 100, 3600 * SECOND, 'How long an idle connection is kept for the next request.'),
      headersBytesMax: integer(16 * KIB, KIB, MIB, 'The largest request headers, in bytes; more is answered with status 431.'),
      bodyBytesMax: integer(64 * KIB, KIB, 64 * MIB, 'The largest request body of the API, in bytes; more is answered with status 413.'),
      connectionsMax: integer(50_000, 1, 1_000_000, 'The most connections at a time; more are closed at once.'),
      connectionsPerAddressMax: integer(
        2000,
        1,
        1_000_000,
        'The most connections at a time from one address; more are closed at once. Loopback is not counted, so a reverse proxy on this machine is not limited.',
      ),
    }),
    rtmp: group('RTMP: publishing and playing.', {
      enabled: flag(true, 'Whether the server listens for RTMP at all.'),
      host,
      port: port(1935, 'TCP port.'),
      tls: group('RTMPS on a port of its own, when both files are given.', { port: port(1936, 'TCP port for RTMPS.'), certFile, keyFile }),
      chunkSizeMax: integer(
        0x7fffffff,
        128,
        0x7fffffff,
        'The largest chunk size that a peer may announce, in bytes. Some encoders announce the very largest; memory is bounded by `messageSizeMax`.',
      ),
      messageSizeMax: integer(
        8 * MIB,
        64 * KIB,
        64 * MIB,
        'The largest message, in bytes: a bigger frame than this closes the connection.',
      ),
      connectionsMax: integer(10_000, 1, 1_000_000, 'The most RTMP connections at a time.'),
      connectionsPerAddressMax: integer(
        200,
        1,
        1_000_000,
        'The most RTMP connections at a time from one address. Loopback is not counted.',
      ),
      handshakeTimeoutMs: integer(10 * SECOND, 100, 600 * SECOND, 'How long a peer may take from connecting to publishing or playing.'),
      idleTimeoutMs: integer(30 * SECOND, SECOND, 3600 * SECOND, 'How long a publisher may be silent before it counts as gone.'),
    }),
    webrtc: group('WebRTC: publishing by WHIP, playing by WHEP.', {
      enabled: flag(true, 'Whether the server offers WebRTC at all. It needs the native addon; without it, it is off and says so.'),
      host,
      port: port(8189, 'UDP port for all sessions.'),
      tcp: flag(true, 'Whether the same port also takes WebRTC over TCP, for networks that block UDP.'),
      publicAddresses: Type.Array(Type.String({ minLength: 2, maxLength: 64 }), {
        default: [],
        maxItems: 16,
        description:
          'The IP addresses under which browsers reach this server, e.g. behind a NAT. When empty: those of its interfaces, and the one that the request came to.',
      }),
      iceServers: Type.Array(Type.String({ minLength: 6, maxLength: 512 }), {
        default: [],
        maxItems: 8,
        secret: true,
        description:
          'STUN and TURN servers told to publishers and viewers: `stun:HOST:PORT`, or `turn:USER:PASSWORD@HOST:PORT?transport=udp`. Mostly not needed, since the server itself is reachable.',
      }),
      sessionsMax: integer(10_000, 1, 100_000, 'The most WebRTC sessions at a time; more are answered with status 503.'),
      sessionsPerAddressMax: integer(
        200,
        1,
        100_000,
        'The most WebRTC sessions at a time from one address; more are answered with status 503. Loopback is not counted.',
      ),
      keyframeIntervalMs: integer(
        2000,
        500,
        20_000,
        'How often a WebRTC publisher is asked for a keyframe; browsers send none by themselves. HLS segments are cut at keyframes.',
      ),
      segmentationOffload: choice(
        'auto',
        ['auto', 'off'],
        'Whether to let the kernel cut packets (UDP GSO) where it can; `off` for drivers that get it wrong.',
      ),
    }),
    flv: group('HTTP-FLV, WebSocket-FLV and RTMP play.', {
      batchMs: integer(
        50,
        0,
        100,
        'How long frames are gathered before they are written to the viewers, when viewers are many. Longer carries more viewers a core.',
      ),
      sendQueueBytesMax: integer(
        2 * MIB,
        64 * KIB,
        256 * MIB,
        'The largest backlog of one viewer, in bytes; past it, its stream skips to the next keyframe.',
      ),
      stalledMs: integer(10 * SECOND, SECOND, 600 * SECOND, 'How long a viewer may take nothing before it is disconnected.'),
      viewersMax: integer(20_000, 1, 1_000_000, 'The most FLV viewers of all streams together; more are answered with status 503.'),
    }),
    hls: group('LL-HLS and HLS.', {
      partMs: integer(500, 100, 2000, 'Length of a part (EXT-X-PART). Shorter is less latency and more requests.'),
      segmentMs: integer(2000, 1000, 20_000, 'Length of a segment; segments are cut at the first keyframe from here on.'),
      windowSegments: integer(10, 3, 1000, 'How many whole segments a playlist lists.'),
      windowBytesMax: integer(
        64 * MIB,
        MIB,
        4096 * MIB,
        'The most bytes of segments kept for one stream; past it, its playlist lists fewer.',
      ),
      packaging: choice(
        'on-demand',
        ['on-demand', 'always'],
        'When a stream is packaged for HLS: while somebody asks for it, beginning with the last whole segment, or from its start on, so that the first viewer finds a whole window.',
      ),
      waitingPerStreamMax: integer(20_000, 1, 1_000_000, 'The most requests of one stream that are held until what they ask for is there.'),
      waitingMax: integer(50_000, 1, 1_000_000, 'The most requests of all streams that are held.'),
    }),
    hub: group('Live streams.', {
      holdMs: integer(
        10 * SECOND,
        0,
        600 * SECOND,
        'How long a stream whose publisher dropped is held for it to come back, with its viewers.',
      ),
      waitMs: integer(
        10 * SECOND,
        100,
        60 * SECOND,
        'How long a viewer waits for a stream that is not here yet but on its way, such as a source that is opened on demand.',
      ),
      waitingMax: integer(10_000, 1, 1_000_000, 'The most viewers that wait so at a time; more are sent away at once.'),
      streamsMax: integer(5000, 1, 1_000_000, 'The most streams at a time.'),
      gopCacheBytesMax: integer(
        16 * MIB,
        256 * KIB,
        1024 * MIB,
        "The most bytes kept of one stream's current group of pictures, for new viewers to start from.",
      ),
      tracksMax: integer(8, 1, 64, 'The most tracks of one stream.'),
    }),
    transcode: group('Transcoding, in child processes with FFmpeg (the optional package node-av).', {
      enabled: flag(true, 'Whether anything is transcoded at all. Without node-av it is off and says so.'),
      tasksMax: integer(
        0,
        0,
        10_000,
        'The most rungs of all streams that are made at a time; each rung of each stream counts one. 0: three for each processor core.',
      ),
      encoder: Type.String({
        default: 'auto',
        minLength: 2,
        maxLength: 32,
        description:
          'What encodes rungs that name no encoder themselves: `auto`, `software`, or the name of an encoder as the API lists them, for the rungs of its codec.',
      }),
    }),
    sources: group('Pull sources: what they may reach.', {
      allowedNetworks: Type.Array(Type.String({ minLength: 2, maxLength: 64 }), {
        default: [],
        maxItems: 1000,
        description:
          'Networks that sources may be in though they are none of the public internet, e.g. `192.168.1.0/24`, `127.0.0.1` or `239.0.0.0/8` for multicast. All other private, loopback, link-local and multicast addresses are refused.',
      }),
      allowedFolders: Type.Array(Type.String({ minLength: 1, maxLength: 1024 }), {
        default: [],
        maxItems: 100,
        description: 'Folders whose files may be sources. Relative paths start at the configuration file.',
      }),
    }),
    access: group('Who may publish and play; see docs/access.md.', {
      allowedNetworks: Type.Array(Type.String({ minLength: 2, maxLength: 64 }), {
        default: [],
        maxItems: 64,
        description:
          'Networks that key sets of apps (`jwksUrl`) may be fetched from, and that webhooks may be in, though they are none of the public internet, e.g. `10.0.0.0/8` or `127.0.0.1`.',
      }),
    }),
    targets: group('Pushing streams to targets.', {
      allowedNetworks: Type.Array(Type.String({ minLength: 2, maxLength: 64 }), {
        default: [],
        maxItems: 64,
        description:
          'Networks that targets may be in though they are none of the public internet, e.g. `10.0.0.0/8` or `127.0.0.1`. All other private, loopback and link-local addresses are refused.',
      }),
      tlsCaFile: text(
        '',
        'File with certificates (PEM) that targets may have, or that issued theirs, beside the well-known ones. Relative paths start at the configuration file.',
      ),
      max: integer(100, 0, 10_000, 'The most targets of all streams at a time. SRT and WHIP take a child process each.'),
      queueBytesMax: integer(
        8 * MIB,
        256 * KIB,
        256 * MIB,
        'The largest backlog of one target, in bytes; past it, what is sent skips to the next keyframe.',
      ),
    }),
    apps: Type.Record(Type.String(), app, {
      default: { live: {} },
      description: 'Apps by name. When none is given, there is one app, `live`.',
    }),
    cluster: clusterSchema,
    api: group('The HTTP API.', {
      publicReads: flag(
        true,
        "Whether everybody may list the streams and see their state. When false, that needs an API key or loopback. Publishers' addresses always need one of these.",
      ),
    }),
    metrics: group('Metrics for Prometheus, at `/metrics`; see docs/metrics.md.', {
      streamsMax: integer(
        0,
        0,
        10_000,
        'Of so many streams `/metrics` tells each by name, those that began first; 0: of none. Everybody who may read `/metrics` sees these names.',
      ),
    }),
    tracing: group('Traces of joins and API calls by OpenTelemetry; see docs/metrics.md.', {
      endpoint: text('', 'Where traces are sent, by OTLP over HTTP: `http://HOST:4318/v1/traces`. Empty: nothing is traced.'),
      samplePercent: integer(100, 0, 100, 'How many of a hundred traces are kept, of those that begin here.'),
      trustCallers: flag(
        false,
        "Whether a request's `traceparent` says what trace it is part of, and whether that is kept, whoever sends it. Otherwise the trace begins here and links to the caller's.",
      ),
    }),
    demo: group('The demo stream.', {
      enabled: flag(false, 'Whether the server publishes a moving test picture as `live/demo` to itself. Same as `sluice start --demo`.'),
    }),
  },
  { additionalProperties: false, description: 'Configuration of Sluice.' },
);

/** Of an app's ladder. */
export const ladderSchema: TObject = ladder;

/** The one description of the configuration: keys, types, bounds, defaults, meaning. */
export const configSchema: TObject = schema;

// `Config` is written out for its readers; these lines do not compile when it and the schema differ.
type Same<Left, Right> = [Left] extends [Right] ? ([Right] extends [Left] ? true : never) : never;
const configIsSchema: Same<Static<typeof schema>, Config> = true;
const appIsSchema: Same<Static<typeof app>, AppConfig> = true;
void configIsSchema;
void appIsSchema;
