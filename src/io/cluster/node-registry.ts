import type { ClusterNodes, NodePatch, NodeResource } from '../../api/mod.ts';
import {
  decodeNodeRecord,
  decodeRevocation,
  encodeNodeRecord,
  encodeRevocation,
  type NodeRecord,
  type NodeView,
  nodeKey,
  REVOKED_PREFIX,
  revokedKey,
  withStatus,
} from '../../cluster/mod.ts';
import { isName } from '../../core/mod.ts';
import type { Clock } from '../clock.ts';
import { CERTIFICATE_DAYS } from './certificate-authority.ts';
import type { StoreCalls } from './store-calls.ts';

/** The replica that this node has of its cluster; the cluster's `Membership` is one. */
export interface NodeReplica {
  nodes(): Iterable<NodeView>;
  node(id: string): NodeView | undefined;
}

export interface NodeRegistryOptions {
  readonly store: StoreCalls;
  readonly replica: NodeReplica;
  readonly ownId: string;
  readonly clock: Clock;
}

const CERTIFICATE_MS = CERTIFICATE_DAYS * 86_400_000;
/** Revocations are kept a little longer than the certificates, for clocks that are behind. */
const REVOKED_MS = CERTIFICATE_MS + 7 * 86_400_000;

/** The cluster's nodes for the API: seen in the local replica, changed in the store. On any node. */
export class NodeRegistry implements ClusterNodes {
  private readonly options: NodeRegistryOptions;

  constructor(options: NodeRegistryOptions) {
    this.options = options;
  }

  *nodes(): Iterable<NodeResource> {
    for (const view of this.options.replica.nodes()) yield this.resourceOf(view, view.record);
  }

  node(id: string): NodeResource | undefined {
    const view = this.options.replica.node(id);
    return view === undefined ? undefined : this.resourceOf(view, view.record);
  }

  async change(id: string, { status, deadlineS }: NodePatch, by: string): Promise<NodeResource | undefined> {
    if (!isName(id)) return undefined;
    const { store, replica, clock } = this.options;
    const now = Math.round(clock.wall());
    let changed: NodeRecord | undefined;
    await store.change(nodeKey(id), (value) => {
      const record = value === undefined ? undefined : decodeNodeRecord(value);
      const forMs = (deadlineS ?? 0) * 1000;
      const drain = deadlineS === undefined ? undefined : { forMs, deadlineWallMs: now + forMs };
      changed = record === undefined ? undefined : withStatus(record, { status, drain, change: { atMs: now, by } });
      return changed === undefined ? value : encodeNodeRecord(changed);
    });
    return changed === undefined ? undefined : this.resourceOf(replica.node(id), changed);
  }

  /** First the certificate is revoked, so that a node that finds its record gone knows why. */
  async remove(id: string): Promise<boolean> {
    if (!isName(id)) return false;
    const { store, clock } = this.options;
    const entry = await store.get(nodeKey(id));
    if (entry === undefined) return false;
    const serial = decodeNodeRecord(entry.value)?.certificateSerial ?? id;
    const now = Math.round(clock.wall());
    const revocation = encodeRevocation({ v: 1, node: id, serial, revokedAtMs: now, notAfterMs: now + REVOKED_MS });
    await store.change(revokedKey(serial), () => revocation);
    await store.remove(nodeKey(id));
    await this.forgetLapsed(now);
    return true;
  }

  /** Revocations of certificates that have lapsed by themselves. */
  private async forgetLapsed(now: number): Promise<void> {
    const { store } = this.options;
    for (const { key, value } of await store.list(REVOKED_PREFIX)) {
      const revocation = decodeRevocation(value);
      if (revocation !== undefined && revocation.notAfterMs < now) await store.remove(key);
    }
  }

  private resourceOf(view: NodeView | undefined, record: NodeRecord): NodeResource {
    const { id, name, region, roles, status, endpoints, version, protocol, joinedAtMs, drainDeadlineWallMs, startedAtMs, statusChange } =
      record;
    const { ownId, clock } = this.options;
    const offset = view?.clockOffsetMs;
    return {
      id,
      ...(name === undefined ? {} : { name }),
      region,
      roles: [...roles],
      status,
      stale: view?.isStale ?? false,
      incarnation: Math.max(record.incarnation, view?.incarnation ?? 0),
      self: id === ownId,
      endpoints: { ...endpoints },
      version,
      protocol,
      joinedAt: timeText(joinedAtMs),
      ...(startedAtMs === undefined ? {} : { startedAt: timeText(startedAtMs) }),
      ...(statusChange === undefined ? {} : { statusAt: timeText(statusChange.atMs), statusBy: statusChange.by }),
      ...(drainDeadlineWallMs === undefined ? {} : { drainDeadlineAt: timeText(drainDeadlineWallMs) }),
      heardAgoMs: view === undefined ? 0 : Math.max(0, Math.round(clock.monotonic() - view.heardAt)),
      ...(offset === undefined ? {} : { clockOffsetMs: Math.round(offset) }),
      ...(view?.heartbeat === undefined ? {} : { load: loadOf(view.heartbeat) }),
    };
  }
}

function loadOf(heartbeat: NonNullable<NodeView['heartbeat']>): NonNullable<NodeResource['load']> {
  const { v: _version, id: _id, incarnation: _incarnation, sentMs: _sent, viewers, ...load } = heartbeat;
  return { ...load, viewers: { ...viewers } };
}

const TIME_MAX = 8.64e15;
/** What another node wrote need not be a date. */
const timeText = (wallMs: number): string => new Date(Math.min(wallMs, TIME_MAX)).toISOString();
