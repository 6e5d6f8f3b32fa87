/** A quality with pictures of its own; viewers get the source's sound with it. */
export interface VideoRung {
  /** Unique in its ladder; the rendition's name in URLs. */
  readonly name: string;
  readonly kind: 'video';
  /**
   * In a ladder: the shorter side of the picture, even, so that `720` is 1280x720 of a landscape source and 720x1280 of a portrait one; or
   * {@link SOURCE_HEIGHT}. In a plan: the height of the picture in pixels.
   */
  readonly height: number;
  /** Frames a second at most; absent: as many as the source has. */
  readonly frameRateMax?: number;
  readonly codec: 'h264' | 'vp8' | 'vp9' | 'av1' | 'hevc';
  /** Of the pictures. In a ladder also {@link BITRATE_BY_SIZE}. */
  readonly bitrateBps: number;
  readonly preset: 'ultrafast' | 'superfast' | 'veryfast' | 'faster' | 'fast' | 'medium';
  /** `auto`, `software`, or an encoder's name. */
  readonly encoder: string;
}

/** Sound in another codec than the source's. */
export interface AudioRung {
  readonly name: string;
  readonly kind: 'audio';
  readonly codec: 'aac' | 'opus';
  /** In a ladder also {@link BITRATE_BY_SIZE}. */
  readonly bitrateBps: number;
  /** Absent in a ladder: as many as the source has, at most 2. A plan always tells. */
  readonly channels?: 1 | 2;
}

export type Rung = VideoRung | AudioRung;

/** The qualities that an app's streams are offered in. */
export interface Ladder {
  readonly rungs: readonly Rung[];
  /** Whether the rungs run without viewers, too. */
  readonly always: boolean;
  /** How long a rung goes on after its last viewer left. */
  readonly lingerMs: number;
}

/** A rung as it is made of one source: the rung's values are the real ones now, none is left to choose. */
export interface PlannedRung {
  readonly rung: Rung;
  readonly expected: ExpectedRendition;
}

/** What players are told before the first frame of a rendition is there. */
export interface ExpectedRendition {
  /** RFC 6381, of the rung's own track alone. */
  readonly codecString: string;
  /** In pixels, both even; of pictures only. */
  readonly width?: number;
  readonly height?: number;
  /** Absent when neither source nor rung tell. */
  readonly frameRate?: number;
  /** Of what a viewer gets: for a video rung its pictures and the source's sound together, as far as can be told beforehand. */
  readonly bitrateBps: number;
}

/** As `height` of a ladder's rung: the source's own size, and only for sources whose pictures WebRTC viewers cannot play as they are. */
export const SOURCE_HEIGHT = 0;
/** As `bitrateBps` of a ladder's rung: a sane one for the size and rate of the pictures, or the number of channels. */
export const BITRATE_BY_SIZE = 0;
