import { type AppLimits, type AppRecord, decodeAppRecord, type UrlPolicy } from '../../access/mod.ts';
import {
  ApiError,
  type AppliedSettings,
  type ApplyOptions,
  type SettingsAuthor,
  type SettingsRegistry,
  type SettingsResource,
  type SettingsVersionDetail,
  type SettingsVersionResource,
} from '../../api/mod.ts';
import {
  APP_SETTINGS_PREFIX,
  changesBetween,
  differenceOf,
  documentOf,
  type GivenSettings,
  isSameJson,
  type Json,
  LADDERS_PREFIX,
  type SettingsChange,
  type SettingsDocument,
  type SettingsState,
  TRANSCODING_SETTINGS,
  type VersionRecord,
  wishedState,
  withChanges,
  withoutChanges,
} from '../../settings/mod.ts';
import type { TranscodingWeights } from '../../transcode/mod.ts';
import { type AppSettings, isoTime, untilShown } from '../access/mod.ts';
import type { StoreCalls } from '../cluster/mod.ts';
import { mergedAppSettings, settingsOfApp } from './app-settings-record.ts';
import { SettingsJournal } from './settings-journal.ts';
import { SettingsRecords, settingsOfWeights } from './settings-records.ts';

/** Where the settings are checked: they throw `ApiError` (`config.invalid`) with every problem there is. */
export interface SettingsChecks {
  document(value: unknown): GivenSettings;
  /** One section, or an app's ladder, with its defaults filled in. */
  ladder(value: unknown): Json;
  routing(value: unknown): Json;
}

export interface SettingsStoreOptions {
  readonly store: StoreCalls;
  readonly checks: SettingsChecks;
  readonly policy: UrlPolicy;
  /** Whether an app stands in the configuration of this node: it is never pruned. */
  readonly isConfigured: (app: string) => boolean;
  /** The limits that count for an app before any are set. */
  readonly limitsOf: (app: string) => AppLimits;
  /** The keys in the store of what goes with an app. */
  readonly keysOfApp: (app: string) => readonly string[];
  /** Throws for what cannot be the name of an app. */
  readonly assertAppName: (name: string) => void;
  /** What this node goes by, as it is kept under a key. */
  readonly known: (key: string) => Json | undefined;
  readonly wall: () => number;
}

/** So many of a change's keys are waited for. */
const SHOWN_MAX = 50;

/** The settings of the cluster: one document, versions of it, and single parts. */
export class SettingsStore implements SettingsRegistry, AppSettings {
  private readonly options: SettingsStoreOptions;
  private readonly records: SettingsRecords;
  private readonly journal: SettingsJournal;

  constructor(options: SettingsStoreOptions) {
    const { store, keysOfApp, wall } = options;
    this.options = options;
    this.records = new SettingsRecords(store, keysOfApp);
    this.journal = new SettingsJournal({
      store,
      make: (change, atMs, isOver) => this.records.make(change, atMs, isOver),
      wall,
    });
  }

  /** Finishes a change whose author died. */
  settle(): Promise<number> {
    return this.journal.settle();
  }

  async document(): Promise<SettingsResource> {
    const version = await this.journal.settle();
    return { version, ...documentOf(await this.records.state()) } as SettingsResource;
  }

  async apply(value: unknown, options: ApplyOptions): Promise<AppliedSettings> {
    const given = this.options.checks.document(value);
    for (const name of Object.keys(given.apps ?? {})) this.options.assertAppName(name);
    const base = options.force ? undefined : options.base;
    return this.commit(options, base, async (state) => this.wished(state, given, options.prune));
  }

  async rollback(n: number, options: ApplyOptions): Promise<AppliedSettings> {
    const base = options.force ? undefined : options.base;
    return this.commit(options, base, (state) => this.stateAt(state, n));
  }

  async versions(): Promise<readonly SettingsVersionResource[]> {
    const done = await this.journal.settle();
    return (await this.journal.list()).map((record) => versionResource(record, done));
  }

  async version(n: number): Promise<SettingsVersionDetail | undefined> {
    const done = await this.journal.settle();
    const record = n > done || n < 1 ? undefined : await this.journal.read(n);
    if (record === undefined) return undefined;
    const changes = await this.journal.changesOf(record);
    const state = await this.stateAt(await this.records.state(), n);
    const before = withoutChanges(state, [changes]);
    const [left, right] = [documentOf(before), documentOf(state)];
    return { ...versionResource(record, done), changes: differences(left, right), before: left, after: right } as SettingsVersionDetail;
  }

  // Single parts.

  /** Undefined: nothing is set. */
  get(key: string): Promise<Json | undefined> {
    return this.records.get(key);
  }

  /** An app's ladder, which makes the app's record if there is none. */
  setLadder(app: string, value: unknown, by: SettingsAuthor): Promise<void> {
    const ladder = this.options.checks.ladder(value);
    return this.setKeys(by, async (key) => {
      const appKey = `${APP_SETTINGS_PREFIX}${app}`;
      const record = await key(appKey);
      const made = record ?? mergedAppSettings(app, undefined, {}, this.options);
      return new Map([
        [appKey, made],
        [`${LADDERS_PREFIX}${app}`, ladder],
      ]);
    });
  }

  setRouting(key: string, value: unknown, by: SettingsAuthor): Promise<void> {
    const routing = this.options.checks.routing(value);
    return this.setKeys(by, async () => new Map([[key, routing]]));
  }

  setWeights(weights: Omit<TranscodingWeights, 'v'>, by: SettingsAuthor): Promise<void> {
    return this.setKeys(by, async () => new Map([[TRANSCODING_SETTINGS, settingsOfWeights(weights)]]));
  }

  unset(key: string, by: SettingsAuthor): Promise<void> {
    return this.setKeys(by, async () => new Map([[key, null]]));
  }

  /** Writes an app's record as `change` makes it (undefined: removes it, and its ladder); what is no setting of it is not written. */
  changeApp(name: string, by: SettingsAuthor, change: (record: AppRecord | undefined) => AppRecord | undefined): Promise<void> {
    return this.setKeys(by, async () => {
      const entry = await this.options.store.get(`${APP_SETTINGS_PREFIX}${name}`);
      const next = change(entry === undefined ? undefined : decodeAppRecord(entry.value));
      const settings = next === undefined ? null : settingsOfApp(next);
      const wish = new Map<string, Json>([[`${APP_SETTINGS_PREFIX}${name}`, settings]]);
      return settings === null ? wish.set(`${LADDERS_PREFIX}${name}`, null) : wish;
    });
  }

  private async setKeys(
    by: SettingsAuthor,
    wish: (get: (key: string) => Promise<Json | undefined>) => Promise<ReadonlyMap<string, Json>>,
  ): Promise<void> {
    const { changes } = await this.journal.commit(
      { note: '', ...by },
      {
        plan: async () => {
          const planned: SettingsChange[] = [];
          for (const [key, after] of await wish((wanted) => this.records.get(wanted))) {
            const before = (await this.records.get(key)) ?? null;
            if (!isSameJson(before, after)) planned.push({ key, before, after });
          }
          return planned;
        },
      },
    );
    await this.shown(changes);
  }

  /** So that who wrote it finds it on this node at once. */
  private shown(changes: readonly SettingsChange[]): Promise<void> {
    const { known } = this.options;
    const last = changes.slice(-SHOWN_MAX);
    return untilShown(() => last.every(({ key, after }) => isSameJson(known(key) ?? null, after)));
  }

  private wished(state: SettingsState, given: GivenSettings, prune: boolean): SettingsState {
    const { isConfigured } = this.options;
    return wishedState(state, given, {
      prune,
      kept: isConfigured,
      merged: (name, before, settings) => mergedAppSettings(name, before, settings, this.options),
    });
  }

  private async commit(
    { dryRun, by }: ApplyOptions,
    base: number | undefined,
    wish: (state: SettingsState) => Promise<SettingsState>,
  ): Promise<AppliedSettings> {
    let before: SettingsState = new Map();
    let planned: readonly SettingsChange[] = [];
    const plan = async (): Promise<readonly SettingsChange[]> => {
      before = await this.records.state();
      planned = changesBetween(before, await wish(before));
      await this.records.assertKnown(planned.map(({ key }) => key));
      return dryRun ? [] : planned;
    };
    const { version, changes } = await this.journal.commit({ note: '', ...by }, { plan, base });
    await this.shown(changes);
    const after = withChanges(before, planned);
    return { version, applied: changes.length > 0, changes: differences(documentOf(before), documentOf(after)) } as AppliedSettings;
  }

  /** What a state was when a version was done, as far as it was changed by versions since. */
  private async stateAt(state: SettingsState, n: number): Promise<SettingsState> {
    const done = await this.journal.done();
    if (n > done || n < 0) throw new ApiError('config.version-not-found', `there is no version ${n}: the newest is ${done}`);
    const undone: (readonly SettingsChange[])[] = [];
    for (let version = done; version > n; version--) {
      const record = await this.journal.read(version);
      if (record === undefined)
        throw new ApiError('config.version-not-found', `version ${n} is kept no more: GET /api/v1/config/versions lists those that are`);
      undone.push(await this.journal.changesOf(record));
    }
    return withoutChanges(state, undone);
  }
}

const differences = (before: SettingsDocument, after: SettingsDocument): ReturnType<typeof differenceOf> =>
  differenceOf(before as unknown as Json, after as unknown as Json);

const versionResource = ({ n, atMs, who, action, note, count }: VersionRecord, done: number): SettingsVersionResource => ({
  version: n,
  at: isoTime(atMs),
  who,
  action,
  note,
  settings: count,
  state: n <= done ? 'done' : 'applying',
});
