import type { ServerEvent } from '../api/mod.ts';
import { type StreamRef, streamRef } from '../core/mod.ts';
import type { LiveStream } from '../hub/mod.ts';
import type { HookEvent } from '../io/mod.ts';
import type { StreamFollower } from './stream-events.ts';

export interface WebhookEventsOptions {
  readonly publish: (event: HookEvent) => void;
  /** Whether it is this node that tells of the cluster: one of its nodes does. */
  readonly tellsOfCluster: () => boolean;
  /** For so long after the start, nodes that are heard of for the first time are not new. */
  readonly isStarting: () => boolean;
}

interface Told {
  readonly startedWallMs: number;
  state: LiveStream['state'];
}

/** Tells webhooks what happens: of a stream its origin, of nodes one of them. */
export class WebhookEvents implements StreamFollower {
  private readonly options: WebhookEventsOptions;
  /** The streams that this node tells of, by path. */
  private readonly told = new Map<string, Told>();
  /** How each node was known last. */
  private readonly nodes = new Map<string, string>();

  constructor(options: WebhookEventsOptions) {
    this.options = options;
  }

  streamStarted(stream: LiveStream): void {
    if (isPulled(stream)) return;
    this.told.set(stream.ref.path, { startedWallMs: stream.startedWallMs, state: stream.state });
    this.tell('stream.started', stream.ref, dataOf(stream));
  }

  streamChanged(stream: LiveStream): void {
    const { ref, state, startedWallMs } = stream;
    const known = this.told.get(ref.path);
    // The origin is another node now, which tells from here on.
    if (isPulled(stream)) this.told.delete(ref.path);
    else if (known?.state !== state) {
      this.told.set(ref.path, { startedWallMs, state });
      this.tell(state === 'held' ? 'stream.held' : 'stream.resumed', ref, dataOf(stream));
    }
  }

  streamEnded(ref: StreamRef): void {
    const known = this.told.get(ref.path);
    if (known === undefined) return;
    this.told.delete(ref.path);
    this.tell('stream.ended', ref, { startedAt: new Date(known.startedWallMs).toISOString() });
  }

  /** The process ends, and there is no other node that its streams could go on at. */
  endAll(): void {
    for (const path of [...this.told.keys()]) {
      const [app = '', name = ''] = path.split('/');
      this.streamEnded(streamRef(app, name));
    }
  }

  /** Something that the list of events tells, too. */
  happened({ type, data }: ServerEvent): void {
    const { name, node, state, status, stale } = data;
    if (isOfRecording(type)) this.recordingTold(type, data);
    else if ((type === 'source.changed' || type === 'target.changed') && typeof name === 'string') this.partChanged(type, name, state);
    else if ((type === 'node.changed' || type === 'node.gone') && typeof node === 'string') this.nodeChanged(type, node, { status, stale });
  }

  /** `app/name` of a source, `app/name/target` of a target. */
  private partChanged(type: 'source.changed' | 'target.changed', name: string, state: unknown): void {
    const [app = '', stream = '', target] = name.split('/');
    const path = `${app}/${stream}`;
    this.options.publish({ type, app, stream: path, lane: path, data: { state, ...(target === undefined ? {} : { target }) } });
  }

  private recordingTold(type: RecordingEventType, { path, ...data }: ServerEvent['data']): void {
    const [app = '', name = ''] = String(path).split('/');
    this.tell(type, streamRef(app, name), data);
  }

  private nodeChanged(type: 'node.changed' | 'node.gone', node: string, data: Readonly<Record<string, unknown>>): void {
    const now = JSON.stringify(data);
    const known = this.nodes.get(node);
    const isNews = type === 'node.gone' ? this.nodes.delete(node) : known !== now && !(known === undefined && this.options.isStarting());
    if (type === 'node.changed') this.nodes.set(node, now);
    if (!isNews || !this.options.tellsOfCluster()) return;
    this.options.publish({ type, lane: node, data: type === 'node.gone' ? { node } : { node, ...data } });
  }

  private tell(type: HookEvent['type'], { app, path }: StreamRef, data: Readonly<Record<string, unknown>>): void {
    this.options.publish({ type, app, stream: path, lane: path, data });
  }
}

type RecordingEventType = Extract<HookEvent['type'], `recording.${string}`>;

const isOfRecording = (type: ServerEvent['type']): type is RecordingEventType =>
  type === 'recording.started' || type === 'recording.ended' || type === 'recording.failed';

/** Whether it comes from another node. */
const isPulled = ({ publisher }: LiveStream): boolean => publisher.protocol === 'relay';

const dataOf = ({ publisher, startedWallMs }: LiveStream): Readonly<Record<string, unknown>> => ({
  protocol: publisher.protocol,
  startedAt: new Date(startedWallMs).toISOString(),
});
