import { availableParallelism } from 'node:os';
import type pino from 'pino';
import type { Hub } from '../hub/mod.ts';
import { type Clock, Transcoding } from '../io/mod.ts';
import { type Ladder, makeLadder, taskLimit } from '../transcode/mod.ts';
import type { Config } from './config/mod.ts';

const NO_LADDER: Ladder = { rungs: [], always: false, lingerMs: 0 };

/** The ladders of all apps as the configuration has them; undefined when nothing is to be transcoded. */
export function createTranscoding({ apps, transcode }: Config, hub: Hub, clock: Clock, log: pino.Logger): Transcoding | undefined {
  if (!transcode.enabled) return undefined;
  const ladders = new Map(Object.entries(apps).map(([name, { ladder }]) => [name, makeLadder(ladder, transcode.encoder)]));
  return new Transcoding({
    hub,
    ladderOf: (app) => ladders.get(app) ?? NO_LADDER,
    tasksMax: taskLimit(transcode.tasksMax, availableParallelism()),
    clock,
    log,
  });
}
