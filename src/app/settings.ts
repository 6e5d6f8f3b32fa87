import type pino from 'pino';
import type { AccessControl, AccessReplica, UrlPolicy } from '../access/mod.ts';
import {
  ApiError,
  appNotFound,
  type LadderResource,
  type Operation,
  type RoutingResource,
  type SettingsAuthor,
  type SettingsParts,
  settingsOperations,
} from '../api/mod.ts';
import { ROUTE_WEIGHTS, type RoutingRules, type Store } from '../cluster/mod.ts';
import {
  assertAppName,
  type SettingsChecks,
  SettingsReplica,
  SettingsStore,
  SettingsUpkeep,
  type StoreCalls,
  settingsOfApp,
  settingsOfWeights,
} from '../io/mod.ts';
import { APP_SETTINGS_PREFIX, type Json, LADDERS_PREFIX, ROUTING_SETTINGS, TRANSCODING_SETTINGS } from '../settings/mod.ts';
import { type Ladder, makeLadder, NO_WEIGHTS, TaskWeights } from '../transcode/mod.ts';
import { type Config, checkLadder, checkRouting, checkSettings, type SettingsProblem } from './config/mod.ts';

export interface SettingsNeeds {
  readonly config: Config;
  readonly store: Store;
  readonly calls: StoreCalls;
  readonly replica: AccessReplica;
  readonly control: Pick<AccessControl, 'app' | 'limitsOf'>;
  readonly policy: UrlPolicy;
  /** The keys in the store of what goes with an app. */
  readonly keysOfApp: (app: string) => readonly string[];
  /** Whether this node finishes changes whose author died. */
  readonly isKeeper: boolean;
  readonly wall: () => number;
  readonly log: pino.Logger;
}

const NO_LADDER: Ladder = { rungs: [], always: false, lingerMs: 0 };
const PROBLEMS_SHOWN = 20;

/** What is set for the whole cluster, as this node goes by it: over what its configuration says. */
export class Settings implements SettingsParts {
  readonly store: SettingsStore;
  readonly operations: readonly Operation[];
  private readonly needs: SettingsNeeds;
  private readonly replica: SettingsReplica;
  private readonly upkeep: SettingsUpkeep | undefined;
  private readonly ladders = new Map<string, Ladder>();
  private laddersTold: () => void = () => undefined;
  private standings = new TaskWeights(NO_WEIGHTS);
  private weightsTold: () => void = () => undefined;
  private routingTold: (rules: RoutingRules | undefined) => void = () => undefined;

  constructor(needs: SettingsNeeds) {
    const { store, calls, control, policy, keysOfApp, isKeeper, wall, log } = needs;
    this.needs = needs;
    this.replica = new SettingsReplica(store, {
      ladderChanged: (app) => {
        this.ladders.delete(app);
        this.laddersTold();
      },
      routingChanged: () => this.routingTold(this.replica.routing),
      weightsChanged: () => {
        this.standings = new TaskWeights(this.replica.weights ?? NO_WEIGHTS);
        this.weightsTold();
      },
    });
    this.store = new SettingsStore({
      store: calls,
      checks: SETTINGS_CHECKS,
      policy,
      isConfigured: (app) => control.app(app)?.isConfigured === true,
      limitsOf: (app) => control.limitsOf(app),
      keysOfApp,
      assertAppName,
      known: (key) => this.known(key),
      wall,
    });
    this.operations = settingsOperations(this.store, this);
    const settle = (): Promise<number> => this.store.settle();
    this.upkeep = isKeeper ? new SettingsUpkeep({ unfinished: () => this.replica.unfinished, settle, log }) : undefined;
  }

  /** An app's ladder; the same object until it is another one. */
  readonly ladderOf = (app: string): Ladder => {
    const known = this.ladders.get(app);
    if (known !== undefined) return known;
    const { apps, transcode } = this.needs.config;
    const configured = Object.hasOwn(apps, app) ? apps[app]?.ladder : undefined;
    const settings = this.replica.ladders.get(app) ?? configured;
    const ladder = settings === undefined ? NO_LADDER : makeLadder(settings, transcode.encoder);
    this.ladders.set(app, ladder);
    return ladder;
  };

  /** Whether what is set was read at least once. */
  get isRead(): boolean {
    return this.replica.isRead;
  }

  /** What counts how much when not all can be transcoded. */
  get weights(): TaskWeights {
    return this.standings;
  }

  whenWeightsChange(told: () => void): void {
    this.weightsTold = told;
  }

  whenLaddersChange(told: () => void): void {
    this.laddersTold = told;
  }

  /** Tells also what is set already; undefined: nothing is. */
  whenRoutingChanges(told: (rules: RoutingRules | undefined) => void): void {
    this.routingTold = told;
    told(this.replica.routing);
  }

  close(): void {
    this.upkeep?.close();
    this.replica.close();
  }

  // Of the API.

  async ladder(app: string): Promise<LadderResource> {
    if (this.needs.control.app(app) === undefined) throw appNotFound(app);
    const set = await this.store.get(`${LADDERS_PREFIX}${app}`);
    const { apps } = this.needs.config;
    const configured = Object.hasOwn(apps, app) ? apps[app]?.ladder : undefined;
    const ladder = set ?? configured ?? { template: 'off', rungs: [], always: false, lingerMs: 0 };
    return { ...(ladder as Omit<LadderResource, 'source'>), source: set === undefined ? 'configuration' : 'settings' };
  }

  setLadder(app: string, value: unknown, by: SettingsAuthor): Promise<void> {
    return this.store.setLadder(app, value, by);
  }

  unsetLadder(app: string, by: SettingsAuthor): Promise<void> {
    return this.store.unset(`${LADDERS_PREFIX}${app}`, by);
  }

  async routing(): Promise<RoutingResource> {
    const set = await this.store.get(ROUTING_SETTINGS);
    const { networks, regionHeader } = this.needs.config.cluster;
    const rules = set ?? { networks, regionHeader, weights: ROUTE_WEIGHTS };
    return { ...(rules as Omit<RoutingResource, 'source'>), source: set === undefined ? 'configuration' : 'settings' };
  }

  setRouting(value: unknown, by: SettingsAuthor): Promise<void> {
    return this.store.setRouting(ROUTING_SETTINGS, value, by);
  }

  unsetRouting(by: SettingsAuthor): Promise<void> {
    return this.store.unset(ROUTING_SETTINGS, by);
  }

  private known(key: string): Json | undefined {
    if (key.startsWith(APP_SETTINGS_PREFIX)) {
      const record = this.needs.replica.apps.get(key.slice(APP_SETTINGS_PREFIX.length));
      return record === undefined ? undefined : settingsOfApp(record);
    }
    if (key.startsWith(LADDERS_PREFIX)) return this.replica.ladders.get(key.slice(LADDERS_PREFIX.length)) as unknown as Json | undefined;
    if (key === TRANSCODING_SETTINGS) return this.replica.weights === undefined ? undefined : settingsOfWeights(this.replica.weights);
    return key === ROUTING_SETTINGS ? (this.replica.routing as unknown as Json | undefined) : undefined;
  }
}

/** The checks of the configuration, as errors of the API. */
export const SETTINGS_CHECKS: SettingsChecks = {
  document: (value) => right(checkSettings(value)),
  ladder: (value) => right(checkLadder(value)),
  routing: (value) => right(checkRouting(value)),
};

function right<Value>({ value, problems }: { readonly value: Value; readonly problems: readonly SettingsProblem[] }): Value {
  if (problems.length === 0) return value;
  const shown = problems.slice(0, PROBLEMS_SHOWN).map(({ key, message }) => (key === '' ? message : `${key}: ${message}`));
  const more = problems.length - shown.length;
  throw new ApiError('config.invalid', [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('\n'));
}
