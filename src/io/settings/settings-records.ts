import { decodeAppRecord, encodeAppRecord, newAppRecord } from '../../access/mod.ts';
import { decodeRoutingRules, encodeRoutingRules, type RoutingRules } from '../../cluster/mod.ts';
import {
  APP_SETTINGS_PREFIX,
  isSameJson,
  type Json,
  LADDERS_PREFIX,
  ROUTING_SETTINGS,
  type SettingsChange,
  TRANSCODING_SETTINGS,
} from '../../settings/mod.ts';
import {
  decodeLadder,
  decodeWeights,
  encodeLadder,
  encodeWeights,
  type LadderSettings,
  type TranscodingWeights,
} from '../../transcode/mod.ts';
import { assertKnown, type StoreCalls } from '../cluster/mod.ts';
import { settingsOfApp, withAppSettings } from './app-settings-record.ts';

/** How the settings of one kind are kept in the store. */
interface RecordKind {
  /** Reads borrowed bytes; undefined for what cannot be read. */
  read(value: Uint8Array): Json | undefined;
  /** The record with these settings; `id` is what follows the prefix in its key. */
  write(settings: Json, id: string, before: Uint8Array | undefined, atMs: number): Uint8Array;
}

/** By what a key begins with. */
const KINDS: ReadonlyMap<string, RecordKind> = new Map<string, RecordKind>([
  [
    APP_SETTINGS_PREFIX,
    {
      read: (value) => {
        const record = decodeAppRecord(value);
        return record === undefined ? undefined : settingsOfApp(record);
      },
      write: (settings, name, before, atMs) =>
        encodeAppRecord(
          withAppSettings((before === undefined ? undefined : decodeAppRecord(before)) ?? newAppRecord(name, atMs), settings),
        ),
    },
  ],
  [
    LADDERS_PREFIX,
    { read: (value) => asJson(decodeLadder(value)), write: (settings) => encodeLadder(settings as unknown as LadderSettings) },
  ],
  [
    ROUTING_SETTINGS,
    { read: (value) => asJson(decodeRoutingRules(value)), write: (settings) => encodeRoutingRules(settings as unknown as RoutingRules) },
  ],
  [
    TRANSCODING_SETTINGS,
    {
      read: (value) => {
        const weights = decodeWeights(value);
        return weights === undefined ? undefined : settingsOfWeights(weights);
      },
      write: (settings) => encodeWeights({ v: 1, ...(settings as unknown as Omit<TranscodingWeights, 'v'>) }),
    },
  ],
]);

const AT_A_TIME = 16;

/** Prefixes of all keys that settings are kept under. */
const PREFIXES = [APP_SETTINGS_PREFIX, LADDERS_PREFIX, 'settings/'];

const asJson = (value: unknown): Json | undefined => (value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as Json));

/** Weights as settings are compared and shown: without their version. */
export const settingsOfWeights = ({ rules, pins }: Omit<TranscodingWeights, 'v'>): Json => asJson({ rules, pins }) ?? null;

function kindOf(key: string): { readonly kind: RecordKind; readonly id: string } | undefined {
  for (const [prefix, kind] of KINDS) {
    if (prefix.endsWith('/') ? key.startsWith(prefix) : key === prefix) return { kind, id: key.slice(prefix.length) };
  }
  return undefined;
}

/** Reads settings from the store and writes them into it, whatever kind of record they are kept in. */
export class SettingsRecords {
  private readonly store: StoreCalls;
  private readonly keysOfApp: (app: string) => readonly string[];

  /** `keysOfApp`: the keys in the store of what goes with an app when it is removed. */
  constructor(store: StoreCalls, keysOfApp: (app: string) => readonly string[]) {
    this.store = store;
    this.keysOfApp = keysOfApp;
  }

  /** All that is set. */
  async state(): Promise<Map<string, Json>> {
    const state = new Map<string, Json>();
    for (const prefix of PREFIXES) {
      for (const { key, value } of await this.store.list(prefix)) {
        const settings = kindOf(key)?.kind.read(value);
        if (settings !== undefined) state.set(key, settings);
      }
    }
    return state;
  }

  /** What is set under one key; undefined: nothing. Throws `ApiError` for what newer software has written: this one would change, or show, less than there is. */
  async get(key: string): Promise<Json | undefined> {
    const entry = await this.store.get(key);
    assertKnown(key, entry);
    return entry === undefined ? undefined : kindOf(key)?.kind.read(entry.value);
  }

  /** Throws `ApiError` when newer software has written one of them. */
  async assertKnown(keys: readonly string[]): Promise<void> {
    for (let first = 0; first < keys.length; first += AT_A_TIME)
      await Promise.all(keys.slice(first, first + AT_A_TIME).map((key) => this.get(key)));
  }

  /** Makes a change, whatever is there before, unless it is made already or is over. What newer software has written, nodes with that have to make. */
  async make({ key, after }: SettingsChange, atMs: number, isOver: () => Promise<boolean>): Promise<void> {
    const found = kindOf(key);
    // Written by newer software, which will make it.
    if (found === undefined) return;
    const { kind, id } = found;
    for (;;) {
      const entry = await this.store.get(key);
      const settings = entry === undefined ? undefined : kind.read(entry.value);
      if (after === null ? entry === undefined : settings !== undefined && isSameJson(settings, after)) return;
      assertKnown(key, entry);
      const isRemoval = after === null && key.startsWith(APP_SETTINGS_PREFIX);
      const keys = isRemoval ? this.keysOfApp(id) : [];
      // Only now: while the version is not done, nobody writes what comes after it, and what was read above is from before.
      if (await isOver()) return;
      // Keys first: an app that is made anew under the name must not find those of the old one.
      for (const belonging of keys) await this.store.remove(belonging);
      const next = after === null ? undefined : kind.write(after, id, entry?.value, atMs);
      if (await this.store.write(key, entry, next)) return;
    }
  }
}
