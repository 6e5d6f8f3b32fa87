import type { MonotonicMs } from '../core/mod.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { NodeRecord } from './node-record.ts';

/** A node as this one sees it. The same object as long as the node is known; its fields follow. */
export interface NodeView {
  readonly record: NodeRecord;
  /**
   * The newest; undefined before the first, and for nodes whose heartbeats are not heard here. Nobody is told of new figures, which come each second.
   */
  readonly heartbeat: Heartbeat | undefined;
  /** Of the process that runs now: what names an older one is void. */
  readonly incarnation: number;
  /** What is left of its capacity, 0 to 1; undefined when that is not known. */
  readonly headroom: number | undefined;
  /** Its heartbeats have stopped. Frozen while this node itself is cut off. */
  readonly isStale: boolean;
  /** When this node last had a sign of life from it. Its age is the difference to now. */
  readonly heardAt: MonotonicMs;
  /** By how much its wall clock is ahead of this node's, roughly; undefined before the first heartbeat. */
  readonly clockOffsetMs: number | undefined;
}
