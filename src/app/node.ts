import type pino from 'pino';
import { sourceOperations, streamOperations, targetOperations, transcodingOperations } from '../api/mod.ts';
import { durationMs, sizeBytes } from '../core/mod.ts';
import { playabilityWith, webrtcPlayability } from '../gateways/mod.ts';
import type { Hub } from '../hub/mod.ts';
import {
  type BroadcastOptions,
  createWeb,
  DemoSource,
  FlvRoute,
  HlsRoute,
  HttpServer,
  JoinTraces,
  type Metrics,
  type PullSources,
  type Recordings,
  type RtmpListener,
  type Secrets,
  type SentBytes,
  StreamDoor,
  systemClock,
  type Targets,
  Thumbnails,
  type Tracing,
  type Transcoding,
} from '../io/mod.ts';
import { type Access, createAccess } from './access.ts';
import type { AppUsageParts } from './app-usage.ts';
import { transcodeOffers, weightOperations } from './cluster-allocation.ts';
import type { ClusterMember } from './cluster-member.ts';
import type { NodeServiceLoad } from './cluster-needs.ts';
import type { Config } from './config/mod.ts';
import { Console } from './console.ts';
import { createHub } from './create-hub.ts';
import { createMetrics } from './create-metrics.ts';
import { ensureAdminKey, shareAdminKey } from './first-start.ts';
import { LoneView } from './lone-view.ts';
import { type MediaRates, mediaRatesOf } from './media-rates.ts';
import { siteFolder } from './package-root.ts';
import { createRecordings, recordingApi } from './recordings.ts';
import { createRtmpListeners } from './rtmp-listeners.ts';
import { createSources } from './sources.ts';
import { StreamEvents } from './stream-events.ts';
import { createTargets } from './targets.ts';
import { createTranscoding } from './transcoding.ts';
import { WebhookEvents } from './webhook-events.ts';
import { createWebrtc, type Webrtc } from './webrtc-output.ts';

export interface NodeOptions {
  readonly config: Config;
  readonly secrets: Secrets;
  /** The keys that may publish, by app. */
  readonly streamKeys: ReadonlyMap<string, readonly string[]>;
  readonly version: string;
  readonly log: pino.Logger;
  /** Told an admin key that was made because there was none: it can be shown this once. */
  readonly adminKeyMade: (key: string) => void;
  /** Absent: nothing is traced. */
  readonly tracing?: Tracing | undefined;
  /** Absent: a node on its own. */
  readonly cluster?: ClusterMember;
}

const HUB_TICK_MS = 250;
/** How long viewers may take what is queued for them when the node stops. */
const HTTP_GRACE_MS = 1500;
/** How long the start waits for apps and keys to be read. */
const ACCESS_WAIT_MS = 2000;
const DEMO_APP = 'live';
/** By then, the nodes that were there before this one are known. */
const NODES_KNOWN_MS = 15_000;
/** Of a node on its own; in a cluster each has another. */
const LONE_NODE_ID = 'n1';

/** Starts a node; throws `SluiceError` when it cannot listen, with everything closed again. */
export async function startNode(options: NodeOptions): Promise<MonoNode> {
  const node = new MonoNode(options);
  try {
    await node.start();
    return node;
  } catch (error) {
    await node.close();
    throw error;
  }
}

/** One process that does everything: takes streams in, and serves them to their viewers. */
export class MonoNode {
  private readonly options: NodeOptions;
  private readonly clock = systemClock;
  private readonly hub: Hub;
  private readonly access: Access;
  private readonly hls: HlsRoute;
  private readonly flv: FlvRoute;
  private readonly http: HttpServer;
  private readonly rtmp: readonly RtmpListener[];
  private readonly webrtc: Webrtc | undefined;
  private readonly transcoding: Transcoding | undefined;
  private readonly targets: Targets;
  private readonly thumbnails: Thumbnails;
  private readonly recordings: Recordings;
  private readonly door: StreamDoor;
  private readonly sources: PullSources;
  private readonly metrics: Metrics;
  private readonly console: Console;
  /** The cluster, or this node on its own. */
  private readonly place: ClusterMember | LoneView;
  private readonly webhookEvents: WebhookEvents;
  /** Whether everybody may play the streams of an app. */
  private readonly isOpen: (app: string) => boolean;
  private readonly media: MediaRates;
  private demo: DemoSource | undefined;
  private ticker: NodeJS.Timeout | undefined;
  private endSharing: (() => void) | undefined;
  private isReady = false;
  /** The port in use, also when the configuration asked for any. */
  httpPort = 0;

  constructor(options: NodeOptions) {
    const { config, log } = options;
    const { clock } = this;
    this.options = options;
    const find: Hub['stream'] = (path) => this.hub.stream(path);
    const events = new StreamEvents(
      find,
      () => [
        this.hls,
        this.targets,
        ...(this.transcoding === undefined ? [] : [this.transcoding]),
        { streamStarted: ({ ref }) => this.door.streamChanged(ref.path) },
        ...(options.cluster === undefined ? [] : [options.cluster]),
        this.console,
        this.webhookEvents,
        this.access.usage.meter,
        this.recordings,
      ],
      log,
    );
    this.hub = createHub(events, config, options.cluster);
    this.place = options.cluster ?? this.createLoneView();
    const joins = options.tracing === undefined ? undefined : new JoinTraces(options.tracing);
    const limits = { waitMsMax: config.hub.waitMs, waitersMax: config.hub.waitingMax };
    const door = new StreamDoor({ find, ...limits, ...(joins === undefined ? {} : { joins }) });
    const { bring } = door;
    this.door = door;
    this.sources = createSources({ config, hub: this.hub, door, clock, log });
    const broadcast = broadcastOptions(config);
    const gopCacheBytesMax = sizeBytes(config.hub.gopCacheBytesMax);
    const { streamKeys, cluster } = options;
    const nodeId = cluster?.nodeId ?? LONE_NODE_ID;
    const appDeleted = (app: string): void => this.endApp(app);
    this.access = createAccess({
      config,
      streamKeys,
      store: cluster?.store,
      isKeeper: cluster?.isManager ?? true,
      nodeId,
      secrets: options.secrets,
      membership: cluster?.standing,
      adminKeyMade: options.adminKeyMade,
      recordChanged: (event) => this.console.recordChanged(event),
      auditAdded: (event) => this.console.happenedHere(event),
      appDeleted,
      usage: this.usageParts(),
      clock,
      log,
    });
    this.recordings = createRecordings({
      hub: this.hub,
      access: this.access,
      nodeId,
      dataFolder: config.dataFolder,
      cluster,
      happened: (event) => this.console.happenedHere(event),
      clock,
      log,
    });
    this.webhookEvents = this.createWebhookEvents();
    const { control: access, admitted, usage, webhooks } = this.access;
    // Limits for viewers do not keep anybody from looking.
    const shown = webhooks.behind(access);
    this.isOpen = (app) => shown.isOpen(app);
    // Who may, then whether there is room for one more, then what the owner of the app says.
    const gate = webhooks.behind(usage.gate);
    const withheld = (path: string, rendition: string): string | undefined =>
      this.transcoding?.withheldOf(path).find(({ name }) => name === rendition)?.reason;
    this.hls = new HlsRoute({ ...config.hls, log, clock, access: gate, find, bring, withheld, givers: cluster?.givers });
    this.flv = new FlvRoute({
      log,
      clock,
      access: gate,
      admitted,
      find,
      bring,
      broadcast,
      gopCacheBytesMax,
      viewersMax: config.flv.viewersMax,
    });
    this.rtmp = createRtmpListeners({
      config,
      hub: this.hub,
      bring,
      places: options.cluster?.gate,
      access,
      gate,
      admitted,
      broadcast,
      clock,
      log,
    });
    this.webrtc = createWebrtc({
      config,
      hub: this.hub,
      door,
      access,
      gate,
      admitted,
      joins,
      clock,
      log,
      nodeId,
      isLeaving: () => options.cluster?.isDraining ?? false,
    });
    this.transcoding = createTranscoding({
      config,
      hub: this.hub,
      ladderOf: this.access.settings.ladderOf,
      weights: () => this.access.settings.weights,
      makers: options.cluster?.makers,
      isForOthers: options.cluster?.makesRungs ?? false,
      refusal: (app) => usage.refusal(app),
      clock,
      log,
    });
    this.access.settings.whenLaddersChange(() => this.transcoding?.laddersChanged());
    this.access.settings.whenWeightsChange(() => this.transcoding?.weightsChanged());
    this.access.settings.whenRoutingChanges((rules) => this.place.routing.goBy(rules));
    this.targets = createTargets(config, this.hub, clock, log);
    this.thumbnails = new Thumbnails({ hub: this.hub, clock, log });
    this.media = mediaRatesOf(
      { hub: this.hub, flv: this.flv, rtmp: this.rtmp, webrtc: this.webrtc?.server, outputs: () => this.outputs() },
      cluster,
    );
    this.console = this.createConsole();
    this.http = new HttpServer(config.http, log);
    this.metrics = createMetrics({
      ...{
        config,
        version: options.version,
        isReady: () => this.isReady,
        cluster,
        access: this.access,
        hub: this.hub,
        retired: events.retired,
      },
      ...{ http: this.http, hls: this.hls, flv: this.flv, rtmp: this.rtmp, webrtc: this.webrtc, transcoding: this.transcoding },
      ...{ targets: this.targets, sources: this.sources, door, thumbnails: this.thumbnails, recordings: this.recordings },
    });
  }

  /** Undefined when RTMP is off. */
  get rtmpPort(): number | undefined {
    return this.rtmp[0]?.port;
  }

  /** Undefined when WebRTC is off. */
  get webrtcPort(): number | undefined {
    return this.webrtc?.server.port;
  }

  async start(): Promise<void> {
    const { http, hls, flv, hub, clock, webrtc } = this;
    const { cluster } = this.options;
    http.addSharedRoute(cluster === undefined ? hls.shared : cluster.gate.shared(hls.shared));
    if (cluster !== undefined) for (const handle of [cluster.gate.handle, cluster.forward.handle]) http.addMediaRoute(handle);
    http.addMediaRoute(hls.route);
    http.addMediaRoute(flv.handle);
    if (webrtc !== undefined) http.addMediaRoute(webrtc.route.handle);
    http.addMediaRoute(this.place.routing.route.handle);
    if (cluster !== undefined) http.addUpgradeRoute(cluster.gate.upgrade);
    http.addUpgradeRoute(flv.upgrade);
    await this.createWeb();
    await this.access.ready(ACCESS_WAIT_MS);
    this.httpPort = await http.listen();
    for (const listener of this.rtmp) await listener.listen();
    await webrtc?.server.listen();
    this.transcoding?.start();
    this.targets.start();
    this.access.usage.meter.start();
    this.recordings.start();
    this.sources.start();
    await this.joinCluster();
    this.ticker = setInterval(() => hub.tick(clock.monotonic()), HUB_TICK_MS);
    this.isReady = true;
    if (this.options.config.demo.enabled) this.startDemo();
  }

  /** Makes the first admin key where there is none. To be called when it can be shown. */
  async ensureAdminKey(): Promise<void> {
    const { cluster, secrets, adminKeyMade, log } = this.options;
    const { adminKey } = this.access;
    if (adminKey !== undefined) this.endSharing = await shareAdminKey(adminKey, log);
    else if (cluster === undefined) ensureAdminKey(secrets, new Date(), adminKeyMade);
  }

  /** Takes no more, then ends publishers, viewers and requests politely. May be called at any time, and more than once. */
  async close(): Promise<void> {
    this.isReady = false;
    const { demo, hls, flv, http, rtmp, webrtc } = this;
    webrtc?.route.close();
    this.console.close();
    // Those who wait for a stream are answered at once.
    const outputs = [flv.close(), hls.close()];
    this.door.close();
    this.demo = undefined;
    clearInterval(this.ticker);
    this.endSharing?.();
    await demo?.close();
    if (this.options.cluster === undefined) this.webhookEvents.endAll();
    await this.recordings.close();
    await this.access.close();
    await this.place.close();
    await this.targets.close();
    await this.sources.close();
    await this.thumbnails.close();
    await webrtc?.server.close();
    await this.transcoding?.close();
    await Promise.all([...outputs, ...rtmp.map((listener) => listener.close()), http.close(HTTP_GRACE_MS)]);
  }

  private outputs(): readonly SentBytes[] {
    return [this.hls, this.flv, ...this.rtmp, ...(this.webrtc === undefined ? [] : [this.webrtc.server])];
  }

  private usageParts(): AppUsageParts {
    const { cluster } = this.options;
    return {
      hub: this.hub,
      bus: cluster?.bus,
      outputs: () => this.outputs(),
      tasksByApp: () => this.transcoding?.tasksByApp() ?? new Map(),
      recordingsByApp: () => this.recordings.byApp(),
      isKnown: (path) => cluster?.isKnown(path) ?? false,
    };
  }

  /** Ends what is published into an app that is gone, unless the configuration has it still. */
  private endApp(app: string): void {
    if (this.access.control.app(app) !== undefined) return;
    for (const { ref } of [...this.hub.streams()]) if (ref.app === app) this.hub.remove(ref.path);
  }

  private async joinCluster(): Promise<void> {
    const { cluster } = this.options;
    if (cluster === undefined) return;
    this.door.add(cluster);
    await cluster.start({
      hub: this.hub,
      load: () => this.load(),
      ports: { http: this.httpPort, rtmp: this.rtmpPort },
      secondPublisher: (app) => this.access.control.secondPublisher(app),
      isAwaited: (path) => this.door.isAwaited(path),
      standingOf: (path, rung) => this.transcoding?.standingOf(path, rung),
      offer: transcodeOffers(this.transcoding, this.clock),
      countsAudiences: () => this.access.settings.weights.goByViewers,
      movePublishers: () => this.rtmp.reduce((sum, listener) => sum + listener.movePublishers(cluster.gate), 0),
      nodeRoutes: [this.hls.forNodes, ...(this.webrtc === undefined ? [] : [cluster.forward.answered(this.webrtc.route.handle)])],
    });
  }

  /** What the cluster's routing and the console go by. */
  private load(): NodeServiceLoad {
    const { config } = this.options;
    const streams = [...this.hub.streams()];
    const viewers = (protocol: string): number => streams.reduce((sum, stream) => sum + (stream.viewers.get(protocol) ?? 0), 0);
    return {
      viewers: { flv: viewers('flv'), rtmp: viewers('rtmp'), hls: viewers('hls'), webrtc: viewers('webrtc') },
      viewersMax: config.flv.viewersMax,
      streams: streams.length,
      tasks: this.transcoding?.tasksRunning ?? 0,
      tasksMax: this.transcoding?.tasksMax ?? 0,
      ...this.media.read(),
    };
  }

  private async createWeb(): Promise<void> {
    const { config, version, log } = this.options;
    await createWeb(this.http, {
      operations: [
        ...streamOperations(this.hub, this.place.console, { ...this.streamOptions(), isOpen: this.isOpen }),
        ...transcodingOperations(this.transcoding),
        ...this.place.operations(),
        ...weightOperations(this.access.settings.store, () => this.options.cluster?.allocation.follower),
        ...sourceOperations(this.sources),
        ...targetOperations(this.targets, (path) => this.hub.stream(path) !== undefined),
        ...this.console.operations(),
        ...this.access.operations,
        ...recordingApi({
          recordings: this.recordings,
          ownId: this.options.cluster?.nodeId ?? LONE_NODE_ID,
          cluster: this.options.cluster,
          secrets: this.console.secrets,
          wall: () => this.clock.wall(),
        }),
      ],
      keys: this.console.keys,
      keeper: this.access.keeper,
      changed: this.access.changed,
      sessions: this.console.sessions,
      publicReads: config.api.publicReads,
      version,
      bodyBytesMax: config.http.bodyBytesMax,
      metrics: this.metrics,
      tracing: this.options.tracing,
      readiness: () => (this.isReady ? (this.options.cluster?.readiness ?? 'ready') : 'closed'),
      siteFolder,
      isInCluster: this.options.cluster !== undefined,
      log,
    });
  }

  private streamOptions(): Omit<Parameters<typeof streamOperations>[2], 'isOpen'> {
    return {
      wall: () => this.clock.wall(),
      webrtcOf: ({ ref, tracks, hasReorderedFrames, renditions }) => {
        if (this.webrtc === undefined) return null;
        const withheld = this.transcoding?.withheldOf(ref.path);
        return playabilityWith(webrtcPlayability(tracks, hasReorderedFrames), renditions.values(), withheld);
      },
      rungsOf: (path) => this.transcoding?.rungsOf(path) ?? [],
      leftOutOf: (path) => this.transcoding?.leftOutOf(path) ?? [],
    };
  }

  private createLoneView(): LoneView {
    const { config, version, log } = this.options;
    const ports = (): { http: number; rtmp: number | undefined } => ({ http: this.httpPort, rtmp: this.rtmpPort });
    return new LoneView({ ownId: LONE_NODE_ID, config, version, hub: this.hub, load: () => this.load(), ports, log });
  }

  private createConsole(): Console {
    const { config, version, cluster } = this.options;
    return new Console({
      ownId: cluster?.nodeId ?? LONE_NODE_ID,
      version,
      dataFolder: config.dataFolder,
      publicReads: config.api.publicReads,
      keys: this.access.keys,
      endedSessions: this.access.endedSessions,
      hub: this.hub,
      streams: this.streamOptions(),
      transcoding: this.transcoding,
      sources: this.sources,
      targets: this.targets,
      thumbnails: this.thumbnails,
      recordings: this.recordings,
      isOpen: this.isOpen,
      happened: (event) => this.webhookEvents.happened(event),
      cluster,
      view: this.place.console,
    });
  }

  private createWebhookEvents(): WebhookEvents {
    const { cluster } = this.options;
    const startedMs = this.clock.monotonic();
    return new WebhookEvents({
      publish: (event) => this.access.webhooks.publish(event),
      tellsOfCluster: () => cluster?.console.isFirstAlive ?? false,
      isStarting: () => this.clock.monotonic() - startedMs < NODES_KNOWN_MS,
    });
  }

  private startDemo(): void {
    const { config, streamKeys, log } = this.options;
    const app = config.apps[DEMO_APP];
    if (this.rtmpPort === undefined || app === undefined) {
      log.warn({ code: 'demo.off' }, `no demo stream: it needs rtmp.enabled and the app "${DEMO_APP}"`);
      return;
    }
    const key = streamKeys.get(DEMO_APP)?.[0] ?? '';
    const query = app.publishFromLoopback ? '' : `?key=${encodeURIComponent(key)}`;
    const { host } = config.rtmp;
    const own = host === '*' || host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
    this.demo = new DemoSource({ rtmpUrl: `rtmp://${own}:${this.rtmpPort}/${DEMO_APP}/demo${query}`, log });
    this.demo.start();
  }
}

const broadcastOptions = ({ flv }: Config): BroadcastOptions => ({
  batchMs: durationMs(flv.batchMs),
  sendQueueBytesMax: sizeBytes(flv.sendQueueBytesMax),
  stalledMsMax: durationMs(flv.stalledMs),
});
