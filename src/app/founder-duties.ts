import type pino from 'pino';
import { type Store, writeStaleMs } from '../cluster/mod.ts';
import { NatsMembers, type NatsServerProcess } from '../io/mod.ts';
import type { Config } from './config/mod.ts';
import { natsMembersFile } from './coordination.ts';

export interface FounderNeeds {
  readonly config: Config;
  readonly nodeId: string;
  readonly store: Store;
  /** The server that this node runs for its cluster. */
  readonly nats: NatsServerProcess | undefined;
  readonly log: pino.Logger;
}

const WRITE_RETRY_MS = 2_000;

/** What the founding node does for its cluster: says what all nodes hold to, and lets members into its NATS server. Returns what ends it. */
export function beginFounderDuties({ config, nodeId, store, nats, log }: FounderNeeds): () => void {
  let retry: NodeJS.Timeout | undefined;
  let isEnded = false;
  const write = (): void =>
    writeStaleMs(store, config.cluster.staleMs, (isWritten) => {
      if (!isWritten && !isEnded) retry = setTimeout(write, WRITE_RETRY_MS);
    });
  write();
  const members =
    nats === undefined
      ? undefined
      : new NatsMembers(store, {
          file: natsMembersFile(config.dataFolder),
          ownId: nodeId,
          admit: (ids) => nats.admit(ids),
          failed: (err) =>
            log.error({ code: 'cluster.members-not-kept', err }, 'NATS could not be told who is a member: it is tried again'),
        });
  return () => {
    isEnded = true;
    clearTimeout(retry);
    members?.close();
  };
}
