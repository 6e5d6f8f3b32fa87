import type { AudioTrack, Track, VideoTrack } from '../media/mod.ts';
import { expectedAudioCodec, expectedVideoCodec } from './expected-codec.ts';
import { type AudioRung, BITRATE_BY_SIZE, type Ladder, type PlannedRung, type Rung, SOURCE_HEIGHT, type VideoRung } from './ladder.ts';
import { evenSize, type PictureSize, scaledTo, shorterSide } from './picture-size.ts';
import { webrtcObstacle } from './webrtc-pictures.ts';

/** Why a rung of the ladder is not offered for a stream. */
export type LeftOutCode = 'no-pictures' | 'no-sound' | 'not-needed' | 'upscale' | 'near-source' | 'size' | 'name-taken' | 'too-many';

/** A rung of the ladder that a stream does not get. */
export interface LeftOutRung {
  readonly name: string;
  readonly kind: 'video' | 'audio';
  readonly codec: string;
  readonly code: LeftOutCode;
  /** A sentence for the operator, with the values that decided. */
  readonly reason: string;
}

/** What of a ladder one stream gets. */
export interface LadderPlan {
  readonly planned: readonly PlannedRung[];
  readonly left: readonly LeftOutRung[];
}

/** Rungs of one stream; the hub takes 16 renditions, layers of the publisher among them. */
export const RUNGS_MAX = 12;
/** A rung whose shorter side is not at least this much smaller than the source's is not worth its work. */
const NEAR_SOURCE = 0.12;
/** What encoders can be relied on to take. */
const SIDE_MIN = 16;
const SIDE_MAX = 8192;
/** Rates outside are no rates: headers of broken sources say the strangest things. */
const FRAME_RATE_MIN = 1;
const FRAME_RATE_MAX = 240;
const SOUND_BPS_A_CHANNEL = 64_000;
const CHANNELS_MAX = 2;
/** Of 720p at 30 frames a second; others follow by the rate of their pixels, less than proportionally. */
const MODEL_BITRATE_BPS = 2_500_000;
const MODEL_PIXEL_RATE = 1280 * 720 * 30;
const MODEL_EXPONENT = 0.75;
const PICTURE_BPS_MIN = 150_000;
const PICTURE_BPS_MAX = 25_000_000;

type Verdict = { readonly rung: PlannedRung } | { readonly code: LeftOutCode; readonly reason: string };
const left = (code: LeftOutCode, reason: string): Verdict => ({ code, reason });

/**
 * What of a ladder a stream gets, and why it does not get the rest. Never a larger picture than the source's. A rung within 12 % of the
 * source's size is left out, unless it is in another codec, at a lower frame rate, or the only form in which WebRTC viewers could get it. A
 * rung of the source's own size is planned for sources that WebRTC cannot play as they are; a sound rung where the source's sound is
 * in another codec. `hasReorderedFrames`: the stream was seen to have B-frames; what the track's configuration announces counts, too.
 */
export function planRungs(ladder: Ladder, tracks: readonly Track[], hasReorderedFrames: boolean): LadderPlan {
  const source = new Source(tracks, hasReorderedFrames, ladder);
  const planned: PlannedRung[] = [];
  const leftOut: LeftOutRung[] = [];
  const names = new Set<string>();
  for (const rung of ladder.rungs) {
    const verdict = names.has(rung.name)
      ? left('name-taken', 'another rung of the ladder has this name')
      : planned.length >= RUNGS_MAX
        ? left('too-many', `a stream has at most ${RUNGS_MAX} rungs`)
        : source.judge(rung);
    names.add(rung.name);
    if ('rung' in verdict) planned.push(verdict.rung);
    else leftOut.push({ name: rung.name, kind: rung.kind, codec: rung.codec, ...verdict });
  }
  return { planned, left: leftOut };
}

class Source {
  private readonly video: VideoTrack | undefined;
  private readonly audio: AudioTrack | undefined;
  private readonly frameRate: number | undefined;
  /** Why WebRTC cannot play its pictures. */
  private readonly obstacle: string | undefined;
  /** Of the rung of the source's own size, where there is to be one. */
  private readonly ownSizeCodec: VideoRung['codec'] | undefined;

  constructor(tracks: readonly Track[], hasReorderedFrames: boolean, ladder: Ladder) {
    this.video = tracks.find((track) => track.kind === 'video');
    this.audio = tracks.find((track) => track.kind === 'audio');
    this.frameRate = believable(this.video?.frameRate);
    this.obstacle = this.video === undefined ? undefined : webrtcObstacle(this.video, hasReorderedFrames);
    const ownSize = ladder.rungs.find((rung) => rung.kind === 'video' && rung.height === SOURCE_HEIGHT);
    this.ownSizeCodec = this.obstacle !== undefined && ownSize?.kind === 'video' ? ownSize.codec : undefined;
  }

  judge(rung: Rung): Verdict {
    return rung.kind === 'video' ? this.judgePictures(rung) : this.judgeSound(rung);
  }

  private judgePictures(rung: VideoRung): Verdict {
    const { video } = this;
    if (video === undefined) return left('no-pictures', 'the source has no pictures');
    if (!isSize(video.width) || !isSize(video.height)) {
      return left('size', `the source's size, ${video.width}x${video.height}, is not known or not usable`);
    }
    if (rung.height === SOURCE_HEIGHT) {
      if (this.obstacle === undefined) return left('not-needed', 'WebRTC plays the source as it is');
      return this.plan(rung, evenSize(video));
    }
    const unwanted = this.sizeUnwanted(rung, video);
    return unwanted ?? this.plan(rung, scaledTo(video, rung.height));
  }

  private sizeUnwanted(rung: VideoRung, video: VideoTrack): Verdict | undefined {
    const side = shorterSide(video);
    if (rung.height > side) return left('upscale', `the source is smaller: ${video.width}x${video.height}`);
    if (rung.height < side * (1 - NEAR_SOURCE)) return undefined;
    const { frameRateMax } = rung;
    if (frameRateMax !== undefined && this.frameRate !== undefined && frameRateMax < this.frameRate * (1 - NEAR_SOURCE)) return undefined;
    if (rung.codec !== this.ownSizeCodec) {
      if (rung.codec !== video.codec) return undefined;
      // Without a rung of the source's own size this one is what WebRTC viewers get.
      if (this.obstacle !== undefined && this.ownSizeCodec === undefined) return undefined;
    }
    return left('near-source', `the source has nearly this size: ${video.width}x${video.height}`);
  }

  private plan(rung: VideoRung, size: PictureSize): Verdict {
    if (Math.min(size.width, size.height) < SIDE_MIN || Math.max(size.width, size.height) > SIDE_MAX) {
      return left('size', `${size.width}x${size.height} cannot be encoded: sides are from ${SIDE_MIN} to ${SIDE_MAX} pixels`);
    }
    const frameRate = lower(this.frameRate, rung.frameRateMax);
    const bitrateBps = rung.bitrateBps === BITRATE_BY_SIZE ? pictureBitrate(size, frameRate) : rung.bitrateBps;
    const real = { ...rung, height: size.height, bitrateBps };
    return {
      rung: {
        rung: real,
        expected: {
          codecString: expectedVideoCodec(real, size, frameRate),
          ...size,
          ...(frameRate === undefined ? {} : { frameRate }),
          bitrateBps: bitrateBps + this.soundBitrate(),
        },
      },
    };
  }

  private judgeSound(rung: AudioRung): Verdict {
    const { audio } = this;
    if (audio === undefined) return left('no-sound', 'the source has no sound');
    const fits = audio.codec === rung.codec && (audio.codec !== 'opus' || audio.channels <= CHANNELS_MAX);
    if (fits) return left('not-needed', `the source's sound is ${audio.codecString} already`);
    const channels = audio.channels === 1 ? 1 : (rung.channels ?? CHANNELS_MAX);
    const bitrateBps = rung.bitrateBps === BITRATE_BY_SIZE ? channels * SOUND_BPS_A_CHANNEL : rung.bitrateBps;
    return {
      rung: { rung: { ...rung, channels, bitrateBps }, expected: { codecString: expectedAudioCodec(rung.codec), bitrateBps } },
    };
  }

  /** Nothing tells the rate of the source's sound before it is heard; this is what encoders commonly take. */
  private soundBitrate(): number {
    return this.audio === undefined ? 0 : SOUND_BPS_A_CHANNEL * (this.audio.channels === 1 ? 1 : CHANNELS_MAX);
  }
}

const isSize = (pixels: number): boolean => Number.isInteger(pixels) && pixels > 0;

const believable = (frameRate: number | undefined): number | undefined =>
  frameRate !== undefined && frameRate >= FRAME_RATE_MIN && frameRate <= FRAME_RATE_MAX ? frameRate : undefined;

const lower = (source: number | undefined, max: number | undefined): number | undefined =>
  source === undefined || max === undefined ? (source ?? max) : Math.min(source, max);

function pictureBitrate({ width, height }: PictureSize, frameRate = 30): number {
  const bps = MODEL_BITRATE_BPS * ((width * height * frameRate) / MODEL_PIXEL_RATE) ** MODEL_EXPONENT;
  return Math.round(Math.min(PICTURE_BPS_MAX, Math.max(PICTURE_BPS_MIN, bps)) / 10_000) * 10_000;
}
