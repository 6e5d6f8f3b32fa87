import { APPS_MAX, type RecordSource, RecordTable } from '../../access/mod.ts';
import { decodeRoutingRules, type RoutingRules } from '../../cluster/mod.ts';
import { DONE_KEY, decodeDone, LADDERS_PREFIX, ROUTING_SETTINGS, TRANSCODING_SETTINGS, VERSIONS_PREFIX } from '../../settings/mod.ts';
import { decodeLadder, decodeWeights, type LadderSettings, type TranscodingWeights } from '../../transcode/mod.ts';

export interface SettingsReplicaOutput {
  /** An app has another ladder, or none any more. */
  ladderChanged(app: string): void;
  routingChanged(): void;
  weightsChanged(): void;
}

/** This node's copy of what its own work goes by. While the store is away, by what it knew. */
export class SettingsReplica {
  readonly ladders: RecordTable<LadderSettings>;
  private readonly endings: readonly (() => void)[];
  private rules: RoutingRules | undefined;
  private taskWeights: TranscodingWeights | undefined;
  private newest = 0;
  private done = 0;

  constructor(source: RecordSource, out: SettingsReplicaOutput) {
    this.ladders = new RecordTable(source, {
      prefix: LADDERS_PREFIX,
      decode: decodeLadder,
      recordsMax: APPS_MAX,
      changed: (app) => out.ladderChanged(app),
      removed: (app) => out.ladderChanged(app),
    });
    const setRules = (rules: RoutingRules | undefined): void => {
      this.rules = rules;
      out.routingChanged();
    };
    const setWeights = (weights: TranscodingWeights | undefined): void => {
      this.taskWeights = weights;
      out.weightsChanged();
    };
    this.endings = [
      watchKeys(source, 'settings/', (key, value) => {
        if (key === ROUTING_SETTINGS) setRules(value === undefined ? undefined : decodeRoutingRules(value));
        if (key === TRANSCODING_SETTINGS) setWeights(value === undefined ? undefined : decodeWeights(value));
      }),
      watchKeys(source, 'config/', (key, value) => {
        if (key === DONE_KEY) this.done = decodeDone(value);
      }),
      watchKeys(source, VERSIONS_PREFIX, (key) => {
        this.newest = Math.max(this.newest, Number(key.slice(VERSIONS_PREFIX.length)) || 0);
      }),
    ];
  }

  /** Undefined: nothing is set. */
  get routing(): RoutingRules | undefined {
    return this.rules;
  }

  /** What counts how much when not all can be transcoded; undefined: nothing is set. */
  get weights(): TranscodingWeights | undefined {
    return this.taskWeights;
  }

  /** A version that was begun and is not done; undefined when there is none. */
  get unfinished(): number | undefined {
    return this.newest > this.done ? this.newest : undefined;
  }

  /** Whether the ladders were read from the store at least once. */
  get isRead(): boolean {
    return this.ladders.isRead;
  }

  close(): void {
    this.ladders.close();
    for (const end of this.endings) end();
  }
}

/** Undefined: the key was deleted, perhaps while the store was away. */
function watchKeys(source: RecordSource, prefix: string, tell: (key: string, value: Uint8Array | undefined) => void): () => void {
  const known = new Set<string>();
  let told: Set<string> | undefined;
  const forget = (key: string): void => {
    if (known.delete(key)) tell(key, undefined);
  };
  return source.watch(prefix, {
    changed: ({ key, value }) => {
      known.add(key);
      told?.add(key);
      tell(key, value);
    },
    deleted: forget,
    current: () => {
      if (told !== undefined) for (const key of [...known]) if (!told.has(key)) forget(key);
      told = undefined;
    },
    lost: () => {
      told = new Set();
    },
  });
}
