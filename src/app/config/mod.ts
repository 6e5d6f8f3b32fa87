export type { AppConfig, Config } from './config.ts';
export { ConfigError } from './config-error.ts';
export { loadConfig } from './load-config.ts';
export { printConfig } from './print-config.ts';
