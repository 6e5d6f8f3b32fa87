// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
export interface SettingsVersion {
  version: number;
  at: string;
  who: string;
  action: string;
  note: string;
  /** How many apps, ladders and sections changed */
  settings: number;
  /** `applying`: it was begun, and is being finished */
  state: 'done' | 'applying';
  changes: {
    path: string;
    /** Absent: it was not there */
    before?: unknown;
    /** Absent: it is not there */
    after?: unknown;
  }[];
  /** The document before it */
  before: unknown;
  /** The document with it */
  after: unknown;
}

export interface SettingsVersionItem {
  version: number;
  at: string;
  who: string;
  action: string;
  note: string;
  /** How many apps, ladders and sections changed */
  settings: number;
  /** `applying`: it was begun, and is being finished */
  state: 'done' | 'applying';
}

export interface RollBackSettingsQuery {
  /** Only say what would change */
  dryRun?: boolean;
  /** Roll back whatever version there is by now */
  force?: boolean;
  /** The version that is expected; another one is answered with 409 */
  base?: number;
  /** What it is for, in the list of versions */
  note?: string;
}
