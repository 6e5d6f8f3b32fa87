import { decodeRevocation, NODES_PREFIX, nodeKey, REVOKED_PREFIX, type Store, type StoreWatcher } from '../../cluster/mod.ts';
import { readPrivateFile, writePrivateFile } from './private-file.ts';

/**
 * Changes that come together are told together: each makes the server look at all of its clients again. It is also the time in which a node that is removed
 * hears of it before it is cut off.
 */
const GATHER_MS = 50;
const RETRY_MS = 2_000;
const MEMBER = /^[A-Za-z0-9_-]{1,64}$/;

export interface NatsMembersOptions {
  /** Kept over restarts of the server, which is needed to ask the store who is in. */
  readonly file: string;
  readonly ownId: string;
  /** Lets exactly these in from now on. */
  readonly admit: (ids: readonly string[]) => void;
  /** Told why the change could not be made, e.g. for a full disk; it is tried again. */
  readonly failed: (error: unknown) => void;
}

/** The members that were let in when the file was written; those that join and go later are told by {@link NatsMembers}. */
export function keptNatsMembers(file: string, ownId: string): readonly string[] {
  const kept = parse(readPrivateFile(file) ?? '[]');
  return [...new Set([ownId, ...kept])];
}

/**
 * Who may use the NATS server that this node runs: every member, by the certificate that it has by the cluster's authority. A node is let in when its record
 * comes, and kept out from the moment on when it is on the list of the revoked. A record that is missing says nothing: the store may have lost it.
 */
export class NatsMembers {
  private readonly options: NatsMembersOptions;
  private readonly members: Set<string>;
  private readonly revoked = new Set<string>();
  private readonly endings: readonly (() => void)[];
  private timer: NodeJS.Timeout | undefined;

  constructor(store: Store, options: NatsMembersOptions) {
    this.options = options;
    this.members = new Set(keptNatsMembers(options.file, options.ownId));
    this.endings = [
      store.watch(
        NODES_PREFIX,
        watcher((key) => this.joined(key.slice(nodeKey('').length))),
      ),
      store.watch(
        REVOKED_PREFIX,
        watcher((_key, value) => this.removed(decodeRevocation(value)?.node)),
      ),
    ];
  }

  close(): void {
    clearTimeout(this.timer);
    for (const end of this.endings) end();
  }

  private joined(id: string): void {
    if (this.members.has(id) || this.revoked.has(id) || !MEMBER.test(id)) return;
    this.members.add(id);
    this.changed();
  }

  /** The node that runs the server cannot do without it: what is to become of both is its operator's business. */
  private removed(id: string | undefined): void {
    if (id === undefined || id === this.options.ownId) return;
    this.revoked.add(id);
    if (this.members.delete(id)) this.changed();
  }

  private changed(afterMs = GATHER_MS): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      try {
        this.admitMembers();
      } catch (error) {
        this.options.failed(error);
        this.changed(RETRY_MS);
      }
    }, afterMs);
  }

  private admitMembers(): void {
    const { file, admit } = this.options;
    const ids = [...this.members].sort();
    writePrivateFile(file, `${JSON.stringify(ids)}\n`);
    admit(ids);
  }
}

const watcher = (changed: (key: string, value: Uint8Array) => void): StoreWatcher => ({
  changed: ({ key, value }) => changed(key, value),
  deleted: () => undefined,
  current: () => undefined,
  lost: () => undefined,
});

function parse(text: string): readonly string[] {
  try {
    const ids = JSON.parse(text) as unknown;
    return Array.isArray(ids) ? ids.filter((id): id is string => typeof id === 'string' && MEMBER.test(id)) : [];
  } catch {
    // All that are in the store are let in anew.
    return [];
  }
}
