import { availableParallelism } from 'node:os';
import type pino from 'pino';
import type { Hub } from '../hub/mod.ts';
import { type Clock, type RungMakers, Transcoding } from '../io/mod.ts';
import { type Ladder, type TaskWeights, taskLimit } from '../transcode/mod.ts';
import type { Config } from './config/mod.ts';

interface TranscodingNeeds {
  readonly config: Config;
  readonly hub: Hub;
  /** Of an app. */
  readonly ladderOf: (app: string) => Ladder;
  /** What counts how much when not all can be made. */
  readonly weights: () => TaskWeights;
  /** Of a node that is in a cluster. */
  readonly makers: RungMakers | undefined;
  /** Other nodes may want rungs of this one at any moment. */
  readonly isForOthers: boolean;
  /** Why nothing may be transcoded for an app now. */
  readonly refusal: (app: string) => string | undefined;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

/** Undefined when nothing is to be transcoded. */
export function createTranscoding({
  config: { transcode },
  hub,
  ladderOf,
  weights,
  makers,
  isForOthers,
  refusal,
  clock,
  log,
}: TranscodingNeeds): Transcoding | undefined {
  if (!transcode.enabled) return undefined;
  return new Transcoding({
    hub,
    ladderOf,
    weights,
    refusal,
    tasksMax: taskLimit(transcode.tasksMax, availableParallelism()),
    ...(makers === undefined ? {} : { makers }),
    isForOthers,
    clock,
    log,
  });
}
