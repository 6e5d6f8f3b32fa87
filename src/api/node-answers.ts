import { isName } from '../core/mod.ts';
import type { RecordingState } from '../recording/mod.ts';
import type { NodeQuestion } from './cluster-view.ts';
import type { RelayResource } from './console-contract.ts';
import { replyOfThumbnail } from './node-thumbnails.ts';
import { nodeAlarms } from './overview.ts';
import { type SourceDirectory, sourceResource } from './sources.ts';
import type { StreamHere } from './stream-answers.ts';
import type { StreamDirectory } from './stream-lookup.ts';
import { type StreamResourceOptions, streamResource } from './stream-resource.ts';
import { type TargetDirectory, targetResource } from './targets.ts';
import type { ThumbnailSource } from './thumbnail-answer.ts';
import { type TranscodingSource, transcodingReport } from './transcoding.ts';

export interface NodeAnswersOptions {
  readonly ownId: string;
  readonly hub: StreamDirectory;
  readonly streams: StreamResourceOptions;
  readonly transcoding: TranscodingSource | undefined;
  readonly sources: SourceDirectory;
  readonly targets: TargetDirectory;
  readonly recordings: RecordingStates;
  readonly thumbnails: ThumbnailSource;
  /** The nodes that a stream passed on its way here. */
  readonly hopsOf: (path: string) => readonly string[];
  /** What this node pulls, with the nodes that it passed: the last one gives it. */
  readonly pulled: () => Iterable<{ readonly path: string; readonly hops: readonly string[] }>;
  /** From where this node pulls. */
  readonly relays: () => readonly { readonly node: string; readonly p50Ms: number; readonly p99Ms: number }[];
}

/** How it stands with each stream that its app wants recorded, by path. */
export interface RecordingStates {
  states(): ReadonlyMap<string, RecordingState>;
}

/** Lists are cut there: an answer has to fit a message of the bus. */
const ITEMS_MAX = 200;
/** Streams that a relay is shown with. */
const RELAY_STREAMS_MAX = 20;

/** What this node answers when it is asked for the console. */
export class NodeAnswers {
  private readonly options: NodeAnswersOptions;

  constructor(options: NodeAnswersOptions) {
    this.options = options;
  }

  /** JSON, a promise of it, or undefined when there is nothing to say. `path` is not trusted. */
  answer(question: NodeQuestion, path: string): unknown {
    switch (question) {
      case 'alarms':
        return nodeAlarms(this.options.ownId, this.transcoding(), this.sources(), this.targets(), this.options.recordings.states());
      case 'relays':
        return this.relays();
      case 'sources':
        return this.sources();
      case 'targets':
        return this.targets();
      case 'transcoding':
        return this.transcoding();
      case 'stream':
        return this.stream(path);
      case 'streams':
        return this.streamsBetween(path);
      case 'end-stream':
        return isPath(path) && this.options.hub.remove(path);
      case 'thumbnail':
        return isPath(path) ? this.options.thumbnails.thumbnail(path).then(replyOfThumbnail) : undefined;
      default:
        return undefined;
    }
  }

  private stream(path: string): unknown {
    const { hub, streams, hopsOf } = this.options;
    const stream = isPath(path) ? hub.stream(path) : undefined;
    return stream === undefined ? undefined : { hops: [...hopsOf(path)], stream: streamResource(stream, streams, true) };
  }

  /** `range` is `FIRST LAST`, two paths. */
  private streamsBetween(range: string): readonly StreamHere[] {
    const { hub, streams } = this.options;
    const [first = '', last = ''] = range.split(' ');
    const here: StreamHere[] = [];
    for (const stream of hub.streams()) {
      const { path } = stream.ref;
      if (path < first || path > last) continue;
      const resource = streamResource(stream, streams, true);
      here.push({ path, viewers: resource.viewers, ...(stream.publisher.protocol === 'relay' ? {} : { stream: resource }) });
      if (here.length === ITEMS_MAX) break;
    }
    return here;
  }

  private relays(): readonly RelayResource[] {
    const { ownId, relays, pulled } = this.options;
    const all = [...pulled()];
    return relays().map(({ node, p50Ms, p99Ms }) => ({
      from: node,
      to: ownId,
      ...streamsFrom(node, all),
      ...(Number.isFinite(p50Ms) ? { p50Ms } : {}),
      ...(Number.isFinite(p99Ms) ? { p99Ms } : {}),
    }));
  }

  private transcoding(): ReturnType<typeof transcodingReport> {
    const { streams, decisions, ...rest } = transcodingReport(this.options.transcoding);
    return { ...rest, decisions: decisions.slice(0, ITEMS_MAX), streams: streams.slice(0, ITEMS_MAX) };
  }

  private sources(): ReturnType<typeof sourceResource>[] {
    return this.options.sources.report().slice(0, ITEMS_MAX).map(sourceResource);
  }

  private targets(): ReturnType<typeof targetResource>[] {
    return this.options.targets.reports().slice(0, ITEMS_MAX).map(targetResource);
  }
}

function streamsFrom(
  node: string,
  pulled: readonly { readonly path: string; readonly hops: readonly string[] }[],
): Pick<RelayResource, 'streamCount' | 'streams'> {
  const paths = pulled.filter(({ hops }) => hops.at(-1) === node).map(({ path }) => path);
  return { streamCount: paths.length, streams: paths.slice(0, RELAY_STREAMS_MAX) };
}

function isPath(path: string): boolean {
  const [app = '', name = '', ...rest] = path.split('/');
  return isName(app) && isName(name) && rest.length === 0;
}
