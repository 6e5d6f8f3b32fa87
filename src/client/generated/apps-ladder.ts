// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
export interface Ladder {
  /** `custom`: exactly `rungs` */
  template: 'off' | 'webrtc' | 'abr' | 'custom';
  rungs: {
    name: string;
    /** `aac` and `opus` make a rung of sound */
    codec: 'h264' | 'vp8' | 'vp9' | 'av1' | 'hevc' | 'aac' | 'opus';
    height: number;
    frameRateMax: number;
    bitrateBps: number;
    /** How much work the encoder takes */
    preset: 'ultrafast' | 'superfast' | 'veryfast' | 'faster' | 'fast' | 'medium';
    encoder: string;
    channels: number;
  }[];
  always: boolean;
  lingerMs: number;
  /** Set by the API, or as the configuration of the node that answers has it */
  source: 'settings' | 'configuration';
}

export interface SetLadderRequest {
  /** `custom`: exactly `rungs` */
  template?: 'off' | 'webrtc' | 'abr' | 'custom';
  /** The rungs of the template `custom` */
  rungs?: Record<string, unknown>[];
  /** Whether rungs are made without viewers, too */
  always?: boolean;
  lingerMs?: number;
}
