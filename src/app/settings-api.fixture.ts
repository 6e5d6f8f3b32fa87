import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { AccessControl, AccessReplica, UrlPolicy } from '../access/mod.ts';
import { createApiServer, GuardedKeys, registerApi } from '../api/mod.ts';
import { testKeys } from '../api/test-api.fixture.ts';
import { monotonicMs, wallMs } from '../core/mod.ts';
import { EmbeddedStore, keysOfApp, StoreCalls } from '../io/mod.ts';
import { weightOperations } from './cluster-allocation.ts';
import { loadConfig } from './config/mod.ts';
import { Settings } from './settings.ts';

export const TEST_ADMIN = 'sk_admin';
const ENVIRONMENT = { SLUICE_APPS_LIVE_LADDER_TEMPLATE: 'abr' };

/** Nodes whose settings are in one store, and the API of the first of them. */
export class TestSettings {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'sluice-settings-'));
  readonly fastify: FastifyInstance;
  readonly own: Settings;
  private readonly endings: (() => void)[] = [];

  private constructor() {
    this.own = this.node();
    this.fastify = createApiServer({
      bodyLimit: 64 * 1024,
      report: (error) => {
        throw error;
      },
    });
  }

  static async start(): Promise<TestSettings> {
    const test = new TestSettings();
    await registerApi(test.fastify, {
      operations: [...test.own.operations, ...weightOperations(test.own.store, () => undefined)],
      keys: new GuardedKeys(testKeys({ [TEST_ADMIN]: 'admin', sk_app_live: ['live'], sk_app_news: ['news'] }), () => monotonicMs(0)),
      publicReads: true,
      isLocal: () => false,
      version: '0.0.0',
    });
    return test;
  }

  /** The settings as one more node goes by them; the app `live` stands in its configuration, with the ladder `abr`. */
  node(): Settings {
    const store = new EmbeddedStore({ file: join(this.folder, 'store.sqlite') });
    const config = loadConfig({ file: undefined, environment: ENVIRONMENT, folder: this.folder });
    const replica = new AccessReplica(store, { appDeleted: () => undefined, withdrawn: () => undefined });
    const control = new AccessControl([{ name: 'live', keys: [], publishFromLoopback: true, secondPublisher: 'reject' }], replica, {
      sha256: () => new Uint8Array(),
      now: () => monotonicMs(0),
      wall: () => wallMs(0),
      verify: () => undefined,
    });
    const settings = new Settings({
      config,
      store,
      calls: new StoreCalls(store),
      replica,
      control,
      policy: new UrlPolicy({ allowedNetworks: [], allowedFolders: [] }),
      keysOfApp: (app) => keysOfApp(replica, app),
      isKeeper: false,
      wall: () => Date.now(),
      log: pino({ level: 'silent' }),
    });
    this.endings.push(() => {
      settings.close();
      replica.close();
      store.close();
    });
    return settings;
  }

  async close(): Promise<void> {
    await this.fastify.close();
    for (const end of this.endings) end();
  }
}
