import { type AccessControl, type AccessReplica, UrlPolicy } from '../../access/mod.ts';
import { SETTINGS_CHECKS } from '../../app/settings.ts';
import { assertAppName } from '../access/app-store.ts';
import { keysOfApp } from '../access/mod.ts';
import type { StoreCalls } from '../cluster/mod.ts';
import { settingsOfApp } from './app-settings-record.ts';
import { SettingsStore } from './mod.ts';

export interface TestSettingsNeeds {
  readonly calls: StoreCalls;
  readonly replica: AccessReplica;
  readonly control: AccessControl;
  readonly wall: () => number;
}

/** The settings of a test: apps are waited for, the rest counts as shown at once. */
export const testSettings = ({ calls, replica, control, wall }: TestSettingsNeeds): SettingsStore =>
  new SettingsStore({
    store: calls,
    checks: SETTINGS_CHECKS,
    policy: new UrlPolicy({ allowedNetworks: [], allowedFolders: [] }),
    isConfigured: (app) => control.app(app)?.isConfigured === true,
    limitsOf: (app) => control.limitsOf(app),
    keysOfApp: (app) => keysOfApp(replica, app),
    assertAppName,
    known: (key) => {
      const record = replica.apps.get(key.slice('apps/'.length));
      return key.startsWith('apps/') && record !== undefined ? settingsOfApp(record) : undefined;
    },
    wall,
  });
