export { AudioFollower } from './audio-follower.ts';
export { type AacConfig, type AdtsHeader, parseAacConfig, parseAdtsHeader } from './codecs/aac.ts';
export { type Av1Config, type Av1Obu, av1SequenceObu, buildAv1Config, parseAv1Config, splitAv1Obus } from './codecs/av1.ts';
export {
  audioFrameTicks,
  audioTrack,
  isKeyframe,
  needsKeyframe,
  payloadLengthSize,
  sameConfiguration,
  toTrackPayload,
  videoTrack,
} from './codecs/describe.ts';
export { buildH264Config, type H264Config, type H264Sps, h264ReorderDepth, parseH264Config, parseH264Sps } from './codecs/h264.ts';
export { type HevcConfig, hevcParameterSets, hevcReorderDepth, parseHevcConfig } from './codecs/hevc.ts';
export { buildHevcConfig } from './codecs/hevc-record.ts';
export { type Mp3Header, parseMp3Header } from './codecs/mp3.ts';
export { annexBToLengthPrefixed, joinNalUnits, type NalLengthSize, splitAnnexB, splitNalUnits } from './codecs/nal-units.ts';
export { buildOpusHead, isOpusHead, type OpusConfig, opusPacketSamples, parseOpusConfig } from './codecs/opus.ts';
export { parseVpConfig, type VpConfig } from './codecs/vp9.ts';
export { FollowerTimeline, shifted } from './follower-timeline.ts';
export type { Frame, SegmentStamp, SourceFrame } from './frame.ts';
export { Timeline, type TimelineOptions, type TimelineOutput } from './timeline.ts';
export type { AudioCodec, AudioTrack, Track, VideoCodec, VideoTrack } from './track.ts';
