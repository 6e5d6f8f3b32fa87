import type pino from 'pino';
import type { StreamRef } from '../../core/mod.ts';
import type { Clock } from '../clock.ts';
import type { Tracing } from '../tracing/mod.ts';

/** PEM texts of this node's certificate and of the cluster's CA. */
export interface RelayTls {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}

/** Where another node gives its streams. */
export interface RelayUpstream {
  /** Its certificate's common name must be this. */
  readonly node: string;
  readonly host: string;
  readonly port: number;
  /** SHA-256 of its certificate in the form `AB:CD:…`, to pin one. */
  readonly fingerprint?: string;
}

export interface RelayPullOptions {
  readonly upstream: RelayUpstream;
  readonly ref: StreamRef;
  /** '' is the stream itself. */
  readonly rendition: string;
  /** As the directory has it; a holder with an older one refuses. 0: any. */
  readonly epoch: number;
  /** Nodes that pull the stream from this one, and from those. */
  readonly downstream?: readonly string[];
}

/** A rendition that is being pulled. */
export interface RelayPull {
  /** Passed on to where the stream comes from. */
  requestKeyframe(): void;
  /** The receiver is told nothing more. May be called more than once. */
  close(): void;
}

/** A connection that is kept, without any stream, to notice at once when the other node is gone. */
export interface RelayWatch {
  /** Whether it broke, or could not be made, and is not there again. */
  readonly isBroken: boolean;
  /** The watcher is told nothing more. */
  close(): void;
}

export interface RelayClientOptions {
  readonly tls: RelayTls;
  readonly node: string;
  readonly cluster: string;
  /** Absent: nothing is traced. */
  readonly tracing?: Tracing | undefined;
  readonly clock: Clock;
  readonly log: pino.Logger;
}
