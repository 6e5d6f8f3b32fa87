import { CLUSTER_IDENTITY_KEY, decodeClusterIdentity, encodeClusterIdentity, type Store, type StoreResult } from '../../cluster/mod.ts';
import { SluiceError } from '../../core/mod.ts';
import { caSha256 } from './certificate-authority.ts';
import type { NodeIdentity } from './node-identity.ts';

/** A store that does not answer by then does not keep a node from starting: whose it is, is looked at again when the node registers. */
const ANSWER_MS_MAX = 2_000;

/**
 * Makes sure that nothing is written to the store of another cluster, which has the same name on the same engine: before anything else, managers write down
 * whose it is where nobody has, and everybody looks. Throws `SluiceError` (`cluster.foreign-store`).
 */
export async function checkStoreOwner(store: Store, identity: NodeIdentity): Promise<void> {
  const owner = await Promise.race([ownerOf(store, identity), inTime()]);
  if (owner === undefined || owner === identity.clusterId) return;
  throw new SluiceError(
    'cluster.foreign-store',
    `the store holds another cluster with the name ${identity.clusterName} (its id is ${owner}, this one's is ${identity.clusterId}): give the new cluster another cluster.name, move the folder "cluster" in the data folder of each of its nodes away, and found it anew`,
  );
}

/** The id of the cluster whose store it is; undefined while nobody's, and where it cannot be told. */
async function ownerOf(store: Store, { clusterId, clusterName, ca, caPrivateKey }: NodeIdentity): Promise<string | undefined> {
  if (caPrivateKey !== undefined) {
    const value = encodeClusterIdentity({ v: 1, id: clusterId, name: clusterName, caSha256: caSha256(ca) });
    const { ok } = await new Promise<StoreResult<number>>((resolve) => store.create(CLUSTER_IDENTITY_KEY, value, resolve));
    if (ok) return clusterId;
  }
  const found = await new Promise<Parameters<Parameters<Store['get']>[1]>[0]>((resolve) => store.get(CLUSTER_IDENTITY_KEY, resolve));
  return found.ok && found.value !== undefined ? decodeClusterIdentity(found.value.value)?.id : undefined;
}

function inTime(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, ANSWER_MS_MAX, undefined).unref());
}
