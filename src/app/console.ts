import { randomBytes } from 'node:crypto';
import {
  type ApiKeys,
  type EndedSessionList,
  EventFeed,
  eventOperations,
  GuardedKeys,
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
import { ClusterEvents } from './cluster-events.ts';
import type { ClusterMember } from './cluster-member.ts';
import { EventBatch } from './event-batch.ts';
import type { LoneView } from './lone-view.ts';
import type { MemberConsole } from './member-console.ts';
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
  /** Told of everything that listeners of the API's events are told of. */
  readonly happened: (event: ServerEvent) => void;
  /** Absent: a node on its own. */
  readonly cluster: ClusterMember | undefined;
  /** The cluster, or the node on its own. */
  readonly view: MemberConsole | LoneView;
}

/** What the server does for its console beside serving the pages: sessions, events, and a look at all nodes. */
export class Console implements StreamFollower {
  readonly sessions: SessionCookies;
  readonly keys: GuardedKeys;
  /** What all nodes take as signed by one of them; the first signs. */
  readonly secrets: () => readonly Uint8Array[];
  private readonly options: ConsoleOptions;
  private readonly feed: EventFeed;
  private readonly watch: StateWatch;
  /** Of records that every node knows. */
  private readonly records = new EventBatch((events) => {
    for (const event of events) this.feed.add(event);
  });
  private readonly others: ClusterEvents | undefined;

  constructor(options: ConsoleOptions) {
    const { ownId, dataFolder, cluster, view } = options;
    this.options = options;
    this.feed = new EventFeed({ run: `${ownId}.${randomBytes(6).toString('hex')}` });
    const ownSecret = ownSessionSecret(dataFolder);
    this.secrets = () => {
      const shared = cluster?.console.sessionSecret;
      return shared === undefined ? [ownSecret] : [shared, ownSecret];
    };
    this.keys = new GuardedKeys(options.keys, () => systemClock.monotonic());
    this.sessions = new SessionCookies({
      secrets: this.secrets,
      wall: () => systemClock.wall(),
      keyOf: (id) => options.keys.byId(id),
      ended: options.endedSessions,
    });
    const answers = new NodeAnswers({
      ...options,
      hopsOf: (path) => cluster?.console.hopsOf(path) ?? [],
      relays: () => cluster?.stats().hops ?? [],
      pulled: () => cluster?.console.pulled() ?? [],
    });
    const answer = (question: NodeQuestion, path: string): unknown => answers.answer(question, path);
    view.begin({ answer, changed: this.happened });
    this.others = cluster === undefined ? undefined : this.createOthers(cluster);
    this.watch = new StateWatch({ states: this.states(), changed: this.happenedHere });
  }

  operations(): readonly Operation[] {
    const { ownId, version, publicReads, cluster, thumbnails, isOpen, view } = this.options;
    return [
      ...sessionOperations({
        keys: this.keys,
        sessions: this.sessions,
        publicReads,
        server: { node: ownId, version, isInCluster: cluster !== undefined },
      }),
      ...overviewOperations(view),
      ...eventOperations(this.feed),
      ...thumbnailOperations({ source: thumbnails, view, isOpen, now: () => systemClock.monotonic() }),
    ];
  }

  /** Tells listeners, and who is told of everything that they are told of. */
  readonly happened = (event: ServerEvent): void => {
    this.feed.add(event);
    this.options.happened(event);
  };

  /** Something that this node alone knows of: the others are told, for those who listen there. */
  readonly happenedHere = ({ type, data }: ServerEvent): void => {
    this.happened({ type, data: { ...data, node: this.options.ownId } });
    this.others?.tell({ type, data });
  };

  /** Something that every node knows by itself has changed. */
  recordChanged(event: ServerEvent): void {
    this.records.add(event);
  }

  /** Hangs up on who listens. */
  close(): void {
    this.watch.close();
    this.others?.close();
    this.records.close();
    this.feed.close();
  }

  private createOthers(cluster: ClusterMember): ClusterEvents {
    return new ClusterEvents({
      ownId: this.options.ownId,
      bus: cluster.bus,
      heard: (event) => {
        // What the nodes said a moment ago is old now.
        cluster.console.forgetAnswers();
        this.feed.add(event);
      },
    });
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
