import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  CLUSTER_IDENTITY_KEY,
  decodeClusterIdentity,
  decodeRevocation,
  encodeClusterIdentity,
  PUT_BACK_MS_MAX,
  REVOKED_PREFIX,
  type Store,
  type StoreEntry,
  type StoreResult,
} from '../../cluster/mod.ts';
import { SluiceError } from '../../core/mod.ts';
import { EmbeddedStore } from '../coordination/mod.ts';
import { caSha256 } from './certificate-authority.ts';
import type { NodeIdentity } from './node-identity.ts';

/** A store that does not answer by then does not keep a node from starting: whose it is, is looked at again when the node registers. */
const ANSWER_MS_MAX = 2_000;
const LOOK_EACH_MS = 100;
/** No cluster's id. */
const NOBODY = 'nobody';

/**
 * Makes sure that nothing is written to the store of another cluster, which has the same name on the same engine: before anything else, managers write down
 * whose it is where nobody has, and everybody looks. `isNew`: this node has just founded or joined its cluster. Throws `SluiceError` (`cluster.foreign-store`).
 */
export async function checkStoreOwner(store: Store, identity: NodeIdentity, isNew: boolean): Promise<void> {
  const owner = await Promise.race([ownerOf(store, identity, isNew), inTime()]);
  if (owner === undefined || owner === NOBODY || owner === identity.clusterId) return;
  throw new SluiceError(
    'cluster.foreign-store',
    `the store holds another cluster with the name ${identity.clusterName} (its id is ${owner}, this one's is ${identity.clusterId}): give the new cluster another cluster.name, move the folder "cluster" in the data folder of each of its nodes away, and found it anew`,
  );
}

/**
 * Makes sure that a node which was told of a store in a file finds that very store: on another machine there is none under that path, or another one. Nothing
 * is made or written. A file that cannot be read for now is waited for by whoever uses it, like any store. Throws `SluiceError` (`cluster.store-elsewhere`).
 */
export async function checkSharedFile(folder: string, { clusterId, clusterName, nodeId }: NodeIdentity): Promise<void> {
  const file = join(folder, 'store.sqlite');
  const owner = existsSync(file) ? await ownerOfFile(file) : NOBODY;
  if (owner === clusterId || owner === undefined) return;
  throw new SluiceError(
    'cluster.store-elsewhere',
    `the cluster ${clusterName} keeps its state in a file on its manager's machine (cluster.coordination: embedded), and ${file} on this machine is not that file: run this node there, or found the cluster with cluster.coordination nats-server (docs/coordination.md). If the manager lists ${nodeId}, remove it with "sluice nodes remove ${nodeId}"`,
  );
}

async function ownerOfFile(file: string): Promise<string | undefined> {
  const store = new EmbeddedStore({ file });
  try {
    return await storedOwner(store);
  } finally {
    store.close();
  }
}

/** The id of the cluster whose store it is, or {@link NOBODY}; undefined where it cannot be told. */
async function storedOwner(store: Store): Promise<string | undefined> {
  const found = await new Promise<StoreResult<StoreEntry | undefined>>((resolve) => store.get(CLUSTER_IDENTITY_KEY, resolve));
  if (!found.ok) return undefined;
  return found.value === undefined ? NOBODY : decodeClusterIdentity(found.value.value)?.id;
}

async function ownerOf(
  store: Store,
  { clusterId, clusterName, ca, caPrivateKey }: NodeIdentity,
  isNew: boolean,
): Promise<string | undefined> {
  if (caPrivateKey !== undefined) {
    if (!isNew) await leaveToOthers(store);
    const value = encodeClusterIdentity({ v: 1, id: clusterId, name: clusterName, caSha256: caSha256(ca) });
    const { ok } = await new Promise<StoreResult<number>>((resolve) => store.create(CLUSTER_IDENTITY_KEY, value, resolve));
    if (ok) return clusterId;
  }
  return storedOwner(store);
}

/** A store that nobody owns any more has lost everything, and another manager may be filling it, which says last whose it is. */
async function leaveToOthers(store: Store): Promise<void> {
  for (const until = performance.now() + PUT_BACK_MS_MAX; performance.now() < until; ) {
    if ((await storedOwner(store)) !== NOBODY) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EACH_MS).unref());
  }
}

/** Whether a node is on the store's list of those that were removed; false where that cannot be told in time. */
export async function isRevoked(store: Store, nodeId: string): Promise<boolean> {
  const revoked = await Promise.race([
    new Promise<Parameters<Parameters<Store['list']>[1]>[0]>((resolve) => store.list(REVOKED_PREFIX, resolve)),
    inTime(),
  ]);
  return revoked?.ok === true && revoked.value.some(({ value }) => decodeRevocation(value)?.node === nodeId);
}

function inTime(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, ANSWER_MS_MAX, undefined).unref());
}
