// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
import { type CallOptions, type Page, type PageQuery, part, type Transport } from '../transport.ts';
import type { RollBackSettingsQuery, SettingsVersion, SettingsVersionItem } from './config-versions.ts';

export interface Settings {
  /** How often the settings were changed */
  version: number;
  /** By name: `note`, `playback`, `publishFromLoopback`, `secondPublisher`, `limits`, `tokens` and `ladder`. Without the app's keys */
  apps: Record<string, unknown>;
  /** `rules` and `pins`: what is transcoded first; null: nothing is set */
  transcoding: unknown;
  /** `networks`, `regionHeader` and `weights`; null: as each node's configuration says */
  routing: unknown;
}

export interface ApplySettingsAnswer {
  /** The version that counts now */
  version: number;
  /** Whether anything was changed */
  applied: boolean;
  changes: {
    path: string;
    /** Absent: it was not there */
    before?: unknown;
    /** Absent: it is not there */
    after?: unknown;
  }[];
}

export interface ApplySettingsRequest {
  /** Of the document that this one was made of; the same as `base` */
  version?: number;
  /** By name: `note`, `playback`, `publishFromLoopback`, `secondPublisher`, `limits`, `tokens` and `ladder`. Without the app's keys */
  apps?: Record<string, unknown>;
  /** What is transcoded first; null unsets it */
  transcoding?: unknown;
  /** Where clients are sent; null unsets it */
  routing?: unknown;
}

export interface ApplySettingsQuery {
  /** Only say what would change */
  dryRun?: boolean;
  /** Remove apps that are not named, but those of the configuration */
  prune?: boolean;
  /** Apply whatever version there is by now */
  force?: boolean;
  /** The version that is expected; another one is answered with 409 */
  base?: number;
  /** What it is for, in the list of versions */
  note?: string;
}

export interface ConfigApi {
  /** Look at the settings of the cluster. As one document, which can be changed and applied. Without keys and secrets. */
  readonly get: (options?: CallOptions) => Promise<Settings>;
  /** Apply a document of settings. What is left out stays; null unsets. It counts on all nodes at once, and makes a version. */
  readonly apply: (body: ApplySettingsRequest, query?: ApplySettingsQuery, options?: CallOptions) => Promise<ApplySettingsAnswer>;
  readonly versions: {
    /** List the versions of the settings. Each change of apps, ladders, weights or routing made one. The newest first, 200 at most, in pages. */
    readonly list: (query?: PageQuery, options?: CallOptions) => Promise<Page<SettingsVersionItem>>;
    /** Look at one version of the settings. What it changed, and the document before and with it. */
    readonly get: (version: string, options?: CallOptions) => Promise<SettingsVersion>;
    readonly rollback: {
      /** Go back to a version of the settings. Undoes what later versions changed, as a new version. 0 is before the first. Keys of apps that were deleted do not come back. */
      readonly roll: (version: string, query?: RollBackSettingsQuery, options?: CallOptions) => Promise<ApplySettingsAnswer>;
    };
  };
}

export const configApi = (send: Transport): ConfigApi => ({
  get: (options) => send({ method: 'GET', path: '/config', ...options }),
  apply: (body, query, options) => send({ method: 'POST', path: '/config', query, body, ...options }),
  versions: {
    list: (query, options) => send({ method: 'GET', path: '/config/versions', query, ...options }),
    get: (version, options) => send({ method: 'GET', path: `/config/versions/${part(version)}`, ...options }),
    rollback: {
      roll: (version, query, options) => send({ method: 'POST', path: `/config/versions/${part(version)}/rollback`, query, ...options }),
    },
  },
});
