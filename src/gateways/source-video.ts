import {
  buildH264Config,
  buildHevcConfig,
  isKeyframe,
  joinNalUnits,
  type NalLengthSize,
  payloadLengthSize,
  sameConfiguration,
  splitAnnexB,
  splitNalUnits,
  toTrackPayload,
  type VideoCodec,
  type VideoTrack,
  videoTrack,
} from '../media/mod.ts';
import { type PulledTrack, type TimeBase, UNTIMED_FRAMES_MAX } from './source-audio.ts';

const VIDEO_TRACK_ID = 1;
const TIMESCALE = 90_000;
const FRAME_TICKS_DEFAULT = TIMESCALE / 25;
/** A distance of two frames above this is a gap, which says nothing about the next. */
const FRAME_TICKS_MAX = TIMESCALE;
/** A clock that is set back by at most this, as RTP's is by its first sender report, is no jump. */
const SET_BACK_TICKS_MAX = TIMESCALE / 4;
const SET_BACK_STEPS = 4;
/** The first byte of avcC and hvcC; a byte stream begins with zeros. */
const RECORD_VERSION = 1;
const RECORD_BYTES_MIN = 7;

type NalRole = 'vps' | 'sps' | 'pps' | 'dropped' | 'kept';

/** ITU-T H.264 table 7-1: delimiter, ends of sequence and stream, and filler are of no use within a container. */
const h264Role = (unit: Uint8Array): NalRole => {
  const type = (unit[0] ?? 0) & 31;
  return type === 7 ? 'sps' : type === 8 ? 'pps' : type >= 9 && type <= 12 ? 'dropped' : 'kept';
};

/** ITU-T H.265 table 7-1. */
const hevcRole = (unit: Uint8Array): NalRole => {
  const type = ((unit[0] ?? 0) >> 1) & 63;
  return type === 32 ? 'vps' : type === 33 ? 'sps' : type === 34 ? 'pps' : type >= 35 && type <= 38 ? 'dropped' : 'kept';
};

/** A frame with its times in ticks of 90 kHz. */
export interface PlacedVideo {
  readonly track: VideoTrack;
  readonly dts: number;
  readonly pts: number;
  readonly isKeyframe: boolean;
  readonly payload: Uint8Array;
}

/** The one video track of a source, and its frames. */
export class SourceVideo {
  private readonly codec: VideoCodec;
  private readonly config: Uint8Array;
  private readonly timeBase: TimeBase;
  /** Of the NAL units in payloads; undefined: they have start codes. */
  private readonly lengthSize: NalLengthSize | undefined;
  private readonly sets: Record<'vps' | 'sps' | 'pps', readonly Uint8Array[]> = { vps: [], sps: [], pps: [] };
  private track: VideoTrack | undefined = undefined;
  private lastDts: number | undefined = undefined;
  private step = FRAME_TICKS_DEFAULT;
  private isAwaitingKeyframe = false;
  private untimed = 0;

  /** `before`: what it takes the place of; its times go on. Throws `ProtocolError` for a record that is broken. */
  constructor(pulled: Extract<PulledTrack, { kind: 'video' }>, before: SourceVideo | undefined) {
    const { codec, config, timeBase } = pulled;
    this.codec = codec;
    // What FFmpeg keeps of VP8 and VP9 is no vpcC, and their keyframes tell everything.
    this.config = codec === 'vp8' || codec === 'vp9' ? new Uint8Array() : config;
    this.timeBase = timeBase;
    const hasNalUnits = codec === 'h264' || codec === 'hevc';
    const isRecord = config.length >= RECORD_BYTES_MIN && config[0] === RECORD_VERSION;
    this.lengthSize = hasNalUnits && isRecord ? payloadLengthSize(codec, config) : undefined;
    if (hasNalUnits && !isRecord) this.takeSets(splitAnnexB(config));
    this.lastDts = before?.lastDts;
    this.step = before?.step ?? FRAME_TICKS_DEFAULT;
    if (before?.codec === codec) this.track = before.track;
  }

  /** A frame could not be read: those that follow refer to it. */
  broken(): void {
    this.isAwaitingKeyframe = true;
  }

  /** Undefined: nothing of it can be shown yet. Throws `ProtocolError` for broken payloads and configurations. */
  frame(dts: number | undefined, pts: number | undefined, bytes: Uint8Array): PlacedVideo | undefined {
    const times = this.place(dts, pts);
    if (times === undefined) return undefined;
    const payload = this.payloadOf(bytes);
    if (payload.length === 0) return undefined;
    const key = isKeyframe(this.codec, payload);
    if (key) {
      this.isAwaitingKeyframe = false;
      this.describe(payload);
    }
    const { track } = this;
    return track === undefined || this.isAwaitingKeyframe ? undefined : { track, ...times, isKeyframe: key, payload };
  }

  private payloadOf(bytes: Uint8Array): Uint8Array {
    if (this.codec !== 'h264' && this.codec !== 'hevc') return toTrackPayload(this.codec, bytes, 4);
    const role = this.codec === 'h264' ? h264Role : hevcRole;
    const units = this.lengthSize === undefined ? splitAnnexB(bytes) : splitNalUnits(bytes, this.lengthSize);
    // With a record, parameter sets in-band say the same again.
    if (this.lengthSize === undefined) this.takeSets(units);
    return joinNalUnits(units.filter((unit) => role(unit) === 'kept'));
  }

  private takeSets(units: readonly Uint8Array[]): void {
    const role = this.codec === 'h264' ? h264Role : hevcRole;
    for (const kind of ['vps', 'sps', 'pps'] as const) {
      const found = units.filter((unit) => role(unit) === kind);
      // They are parts of a larger packet that need not be kept for them.
      if (found.length > 0) this.sets[kind] = found.map((unit) => unit.slice());
    }
  }

  /** The same object while the configuration stays. */
  private describe(keyframe: Uint8Array): void {
    const config = this.record();
    if (config === undefined) return;
    const track = videoTrack(VIDEO_TRACK_ID, this.codec, config, keyframe);
    if (this.track === undefined || !sameConfiguration(this.track, track)) this.track = track;
  }

  private record(): Uint8Array | undefined {
    const { vps, sps, pps } = this.sets;
    if (this.lengthSize !== undefined || (this.codec !== 'h264' && this.codec !== 'hevc')) return this.config;
    if (sps.length === 0 || pps.length === 0) return undefined;
    if (this.codec === 'h264') return buildH264Config(sps, pps);
    return vps.length === 0 ? undefined : buildHevcConfig(vps, sps, pps);
  }

  /** What is missing is taken from what came before: a frame later. Undefined while nothing came before. */
  private place(dts: number | undefined, pts: number | undefined): { readonly dts: number; readonly pts: number } | undefined {
    if (dts === undefined && pts === undefined && this.lastDts === undefined && this.untimed++ < UNTIMED_FRAMES_MAX) return undefined;
    const { numerator, denominator } = this.timeBase;
    const ticks = (time: number): number => Math.round((time * numerator * TIMESCALE) / denominator);
    const { lastDts } = this;
    const told = dts ?? (pts !== undefined && (lastDts === undefined || ticks(pts) > lastDts) ? pts : undefined);
    const meant = told === undefined ? (lastDts ?? -this.step) + this.step : ticks(told);
    const isSetBack = lastDts !== undefined && meant <= lastDts && lastDts - meant <= SET_BACK_TICKS_MAX;
    // It is caught up with in steps that players can tell apart.
    const at = isSetBack ? lastDts + Math.ceil(this.step / SET_BACK_STEPS) : meant;
    if (!isSetBack && lastDts !== undefined && at > lastDts && at - lastDts <= FRAME_TICKS_MAX) this.step = at - lastDts;
    this.lastDts = at;
    return { dts: at, pts: Math.max(at, pts === undefined ? at : ticks(pts)) };
  }
}
