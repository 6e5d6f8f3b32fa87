import { availableParallelism } from 'node:os';
import type pino from 'pino';
import type { Hub } from '../hub/mod.ts';
import { type Clock, type RungMakers, Transcoding } from '../io/mod.ts';
import { type Ladder, makeLadder, taskLimit } from '../transcode/mod.ts';
import type { Config } from './config/mod.ts';

const NO_LADDER: Ladder = { rungs: [], always: false, lingerMs: 0 };

interface TranscodingNeeds {
  readonly config: Config;
  readonly hub: Hub;
  /** Of a node that is in a cluster. */
  readonly makers: RungMakers | undefined;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

/** The ladders of all apps as the configuration has them; undefined when nothing is to be transcoded. */
export function createTranscoding({ config: { apps, transcode }, hub, makers, clock, log }: TranscodingNeeds): Transcoding | undefined {
  if (!transcode.enabled) return undefined;
  const ladders = new Map(Object.entries(apps).map(([name, { ladder }]) => [name, makeLadder(ladder, transcode.encoder)]));
  return new Transcoding({
    hub,
    ladderOf: (app) => ladders.get(app) ?? NO_LADDER,
    tasksMax: taskLimit(transcode.tasksMax, availableParallelism()),
    ...(makers === undefined ? {} : { makers }),
    clock,
    log,
  });
}
