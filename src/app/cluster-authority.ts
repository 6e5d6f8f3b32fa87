import type pino from 'pino';
import { joinOperations, joinTokenOperations, type Operation } from '../api/mod.ts';
import { CLUSTER_IDENTITY_KEY, encodeClusterIdentity } from '../cluster/mod.ts';
import { CertificateAuthority, type Clock, JoinServer, type NodeIdentity, StoreCalls, serveRenewals, TokenStore } from '../io/mod.ts';
import type { Coordination } from './coordination.ts';

export interface ClusterAuthorityOptions {
  readonly identity: NodeIdentity;
  readonly coordination: Coordination;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

const IDENTITY_RETRY_MS = 2_000;

/** What a manager does for its cluster: it has the authority, lets nodes in, and renews their certificates. */
export class ClusterAuthority {
  private readonly options: ClusterAuthorityOptions;
  private readonly authority: CertificateAuthority;

  /** Undefined on nodes that are no managers. */
  static async open(options: ClusterAuthorityOptions): Promise<ClusterAuthority | undefined> {
    const { ca, caPrivateKey } = options.identity;
    return caPrivateKey === undefined ? undefined : new ClusterAuthority(options, await CertificateAuthority.load(ca, caPrivateKey));
  }

  private constructor(options: ClusterAuthorityOptions, authority: CertificateAuthority) {
    this.options = options;
    this.authority = authority;
  }

  operations(): readonly Operation[] {
    const { identity, clock, log } = this.options;
    const { authority } = this;
    const store = new StoreCalls(this.options.coordination.store);
    const tokens = new TokenStore(store, authority.sha256, () => clock.wall());
    const { clusterId, clusterName, coordination } = identity;
    const joiner = new JoinServer({ store, tokens, authority, clusterId, clusterName, coordination: () => coordination, clock, log });
    return [...joinOperations(joiner), ...joinTokenOperations(tokens)];
  }

  /** Makes itself known as the authority, and answers nodes that ask for a new certificate. Returns a function that ends it. */
  serve(): () => void {
    const { identity, coordination, clock, log } = this.options;
    const { authority } = this;
    const { store, bus } = coordination;
    const { clusterId, clusterName } = identity;
    const value = encodeClusterIdentity({ v: 1, id: clusterId, name: clusterName, caSha256: authority.sha256 });
    let isWritten = false;
    const write = (): void => {
      if (isWritten) return;
      store.create(CLUSTER_IDENTITY_KEY, value, (result) => {
        isWritten = result.ok || result.failure === 'conflict';
      });
    };
    write();
    const retry = setInterval(write, IDENTITY_RETRY_MS);
    const endRenewals = serveRenewals({ bus, store: new StoreCalls(store), authority, clock, log });
    return () => {
      clearInterval(retry);
      endRenewals();
    };
  }
}
