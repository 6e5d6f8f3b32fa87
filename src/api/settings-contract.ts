/** One thing that differs. What is not there is absent. */
export interface SettingsDifferenceResource {
  /** E.g. `apps.live.ladder.rungs[1].height`. */
  path: string;
  before?: unknown;
  after?: unknown;
}

/** All settings of the cluster as one document. */
export interface SettingsResource {
  version: number;
  /** Settings by the app's name, with its ladder. */
  apps: Record<string, unknown>;
  /** What is transcoded first; null: nothing is set. */
  transcoding: unknown;
  /** Where clients are sent; null: as each node's configuration says. */
  routing: unknown;
}

/** What an apply or a rollback did, or would do. */
export interface AppliedSettings {
  /** The version that counts now. */
  version: number;
  /** Whether anything was changed. */
  applied: boolean;
  changes: SettingsDifferenceResource[];
}

export interface SettingsVersionResource {
  version: number;
  at: string;
  who: string;
  /** The id of the operation. */
  action: string;
  note: string;
  /** How many apps, ladders and sections changed. */
  settings: number;
  state: 'done' | 'applying';
}

export interface SettingsVersionPage {
  items: SettingsVersionResource[];
  nextCursor?: string;
}

export interface SettingsVersionDetail extends SettingsVersionResource {
  changes: SettingsDifferenceResource[];
  before: unknown;
  after: unknown;
}

/** One quality of a ladder; 0 stands for "choose". */
export interface RungSettingsResource {
  name: string;
  codec: 'h264' | 'vp8' | 'vp9' | 'av1' | 'hevc' | 'aac' | 'opus';
  height: number;
  frameRateMax: number;
  bitrateBps: number;
  preset: 'ultrafast' | 'superfast' | 'veryfast' | 'faster' | 'fast' | 'medium';
  encoder: string;
  channels: number;
}

export interface LadderResource {
  template: 'off' | 'webrtc' | 'abr' | 'custom';
  rungs: RungSettingsResource[];
  always: boolean;
  lingerMs: number;
  /** Where it comes from: set by the API, or the configuration of the node that answers. */
  source: 'settings' | 'configuration';
}

export interface RoutingResource {
  networks: Record<string, string[]>;
  regionHeader: string;
  weights: { hasStream: number; headroom: number };
  source: 'settings' | 'configuration';
}
