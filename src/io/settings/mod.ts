export { settingsOfApp } from './app-settings-record.ts';
export { settingsOfWeights } from './settings-records.ts';
export { SettingsReplica } from './settings-replica.ts';
export { type SettingsChecks, SettingsStore } from './settings-store.ts';
export { SettingsUpkeep } from './settings-upkeep.ts';
