import { randomBytes } from 'node:crypto';
import {
  type ApiKeys,
  type ClusterView,
  clusterStreamOperations,
  type EndedSessionList,
  EventFeed,
  eventOperations,
  NodeAnswers,
  type NodeQuestion,
  type Operation,
  overviewOperations,
  type ServerEvent,
  SessionCookies,
  type SourceDirectory,
  type StreamDirectory,
  sessionOperations,
  type TargetDirectory,
  type ThumbnailSource,
  type TranscodingSource,
  thumbnailOperations,
} from '../api/mod.ts';
import type { StreamRef } from '../core/mod.ts';
import type { Hub, LiveStream } from '../hub/mod.ts';
import { ownSessionSecret, type Recordings, systemClock } from '../io/mod.ts';
import type { ClusterMember, NodeServiceLoad } from './cluster-member.ts';
import { LoneView } from './lone-view.ts';
import { StateWatch } from './state-watch.ts';
import type { StreamFollower } from './stream-events.ts';

export interface ConsoleOptions {
  readonly ownId: string;
  readonly version: string;
  readonly dataFolder: string;
  readonly publicReads: boolean;
  readonly keys: ApiKeys;
  readonly endedSessions: EndedSessionList;
  readonly hub: Hub & StreamDirectory;
  readonly streams: ConstructorParameters<typeof NodeAnswers>[0]['streams'];
  readonly transcoding: TranscodingSource | undefined;
  readonly sources: SourceDirectory;
  readonly targets: TargetDirectory;
  readonly thumbnails: ThumbnailSource;
  readonly recordings: Pick<Recordings, 'states'>;
  /** Whether everybody may play the streams of an app. */
  readonly isOpen: (app: string) => boolean;
  readonly load: () => NodeServiceLoad;
  /** Told of everything that listeners of the API's events are told of. */
  readonly happened: (event: ServerEvent) => void;
  /** Absent: a node on its own. */
  readonly cluster: ClusterMember | undefined;
}

/** What the server does for its console beside serving the pages: sessions, events, and a look at all nodes. */
export class Console implements StreamFollower {
  readonly sessions: SessionCookies;
  private readonly options: ConsoleOptions;
  private readonly feed: EventFeed;
  private readonly view: ClusterView;
  private readonly watch: StateWatch;
  private readonly closeLone: () => void;

  constructor(options: ConsoleOptions) {
    const { ownId, dataFolder, cluster } = options;
    this.options = options;
    this.feed = new EventFeed({ run: `${ownId}.${randomBytes(6).toString('hex')}` });
    const ownSecret = ownSessionSecret(dataFolder);
    this.sessions = new SessionCookies({
      secrets: () => {
        const shared = cluster?.console.sessionSecret;
        return shared === undefined ? [ownSecret] : [shared, ownSecret];
      },
      wall: () => systemClock.wall(),
      ended: options.endedSessions,
    });
    const answers = new NodeAnswers({
      ...options,
      hopsOf: (path) => cluster?.console.hopsOf(path) ?? [],
      relays: () => cluster?.stats().hops ?? [],
      pulled: () => cluster?.console.pulled() ?? [],
    });
    const answer = (question: NodeQuestion, path: string): unknown => answers.answer(question, path);
    const lone = cluster === undefined ? new LoneView({ ...options, ownId, answer }) : undefined;
    this.closeLone = () => lone?.close();
    this.view = lone ?? (cluster as ClusterMember).console;
    const changed = (event: ServerEvent): void => {
      this.feed.add(event);
      options.happened(event);
    };
    cluster?.console.begin({ answer, changed });
    this.watch = new StateWatch({ states: this.states(), changed });
  }

  operations(): readonly Operation[] {
    const { ownId, version, publicReads, keys, cluster, thumbnails, isOpen } = this.options;
    return [
      ...sessionOperations({
        keys,
        sessions: this.sessions,
        publicReads,
        server: { node: ownId, version, isInCluster: cluster !== undefined },
        now: () => systemClock.monotonic(),
      }),
      ...overviewOperations(this.view),
      ...clusterStreamOperations(this.view, () => systemClock.wall()),
      ...eventOperations(this.feed),
      ...thumbnailOperations({ source: thumbnails, view: this.view, isOpen, now: () => systemClock.monotonic() }),
    ];
  }

  /** Hangs up on who listens. */
  close(): void {
    this.watch.close();
    this.feed.close();
    this.closeLone();
  }

  // In a cluster the directory tells of streams, of those of all nodes.

  streamStarted({ ref, state }: LiveStream): void {
    this.tell('stream.started', ref, state);
  }

  streamChanged({ ref, state }: LiveStream): void {
    this.tell('stream.changed', ref, state);
  }

  streamEnded(ref: StreamRef): void {
    this.tell('stream.ended', ref, 'ended');
  }

  private tell(type: ServerEvent['type'], { path }: StreamRef, state: string): void {
    if (this.options.cluster === undefined) this.feed.add({ type, data: { path, state, origin: this.options.ownId } });
  }

  private states(): ReadonlyMap<ServerEvent['type'], () => ReadonlyMap<string, string>> {
    const { transcoding, sources, targets, recordings } = this.options;
    return new Map<ServerEvent['type'], () => ReadonlyMap<string, string>>([
      ['source.changed', () => new Map(sources.report().map(({ stream, state }) => [stream, state]))],
      ['target.changed', () => new Map(targets.reports().map(({ stream, name, state }) => [`${stream}/${name}`, state]))],
      ['recording.changed', () => recordings.states()],
      [
        'transcoding.changed',
        () =>
          new Map(
            (transcoding?.report().streams ?? []).flatMap(({ stream, rungs }) =>
              rungs.map(({ planned, condition }) => [`${stream}/${planned.rung.name}`, condition] as const),
            ),
          ),
      ],
    ]);
  }
}
