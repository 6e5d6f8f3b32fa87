import type pino from 'pino';
import { type NodeIdentity, nodeRemoved, noteRemoval } from '../io/mod.ts';

export interface OwnRemovalOptions {
  readonly dataFolder: string;
  readonly identity: () => NodeIdentity;
  /** Serves nobody as a node of the cluster any more. */
  readonly leave: () => void;
  readonly log: pino.Logger;
}

/** What becomes of a node that was removed from its cluster: it leaves, says what to do, and its process ends; each later start ends in the same way. */
export class OwnRemoval {
  private readonly options: OwnRemovalOptions;
  private hasHappened = false;
  private ended: () => void = () => undefined;

  constructor(options: OwnRemovalOptions) {
    this.options = options;
  }

  /** `ended` is called when the process is to end. */
  whenOver(ended: () => void): void {
    this.ended = ended;
    if (this.hasHappened) ended();
  }

  /** The node learnt of it, perhaps in several ways. `isOnList`: from the store, and not by being refused alone. */
  happened(isOnList: boolean): void {
    if (this.hasHappened) return;
    this.hasHappened = true;
    const { dataFolder, identity, leave, log } = this.options;
    leave();
    try {
      if (isOnList) noteRemoval(dataFolder, identity());
    } catch (err) {
      log.warn(
        { code: 'cluster.removal-not-kept', err },
        'that this node was removed could not be written down: its next start asks again',
      );
    }
    const { code, message } = nodeRemoved(dataFolder, identity());
    log.error({ code, node: identity().nodeId }, message);
    this.ended();
  }
}
