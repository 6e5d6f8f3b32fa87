export type { AppConfig, Config, LadderConfig } from './config.ts';
export { ConfigError } from './config-error.ts';
export { loadConfig } from './load-config.ts';
export { printConfig } from './print-config.ts';
export { checkLadder, checkRouting, checkSettings, type SettingsProblem } from './settings-checks.ts';
export { readSettingsFile } from './settings-file.ts';
