import type { ClusterView, KnownStream } from './cluster-view.ts';
import type { StreamSource } from './stream-resource.ts';

/** What the API needs of the hub. */
export interface StreamDirectory {
  streams(): Iterable<StreamSource>;
  stream(path: string): StreamSource | undefined;
  /** Evicts the publisher and ends the stream; false when there is none. */
  remove(path: string): boolean;
}

/** A stream of any node, as this one has it. */
export interface FoundStream {
  /** `app/name`. */
  readonly path: string;
  /** As the directory has it; undefined: not yet, or only this node knows. */
  readonly known: KnownStream | undefined;
  /** As it is in this node's hub, if it is there: published here, or pulled. */
  readonly here: StreamSource | undefined;
  /** The node that holds the publisher. */
  readonly origin: string;
  /** Whether that is this one. */
  readonly isOwn: boolean;
}

/** The streams of all nodes: from the hub what is published here, from the directory what is published elsewhere. */
export class StreamLookup {
  readonly directory: StreamDirectory;
  private readonly view: ClusterView;

  constructor(directory: StreamDirectory, view: ClusterView) {
    this.directory = directory;
    this.view = view;
  }

  /** Candidates, each once: what has come to an end meanwhile is no longer found. */
  *paths(): Iterable<string> {
    for (const { ref } of this.directory.streams()) yield ref.path;
    if (this.view.isAlone) return;
    for (const { name } of this.view.streams()) if (this.directory.stream(name) === undefined) yield name;
  }

  /** Undefined for a stream that nobody publishes, as far as this node knows. */
  find(path: string): FoundStream | undefined {
    const known = this.view.stream(path);
    const here = this.directory.stream(path);
    const origin = known?.holder.node ?? this.view.ownId;
    const isOwn = origin === this.view.ownId;
    // Of its own streams a node knows best.
    if (isOwn && (here === undefined || here.publisher.protocol === 'relay')) return undefined;
    return { path, known, here, origin, isOwn };
  }
}
