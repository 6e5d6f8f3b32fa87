import { h264ReorderDepth, hevcReorderDepth, type VideoTrack } from '../media/mod.ts';

/** Profiles that decoders of browsers' WebRTC lack, by how their codec strings begin: more than 8 bits, 4:2:2 and 4:4:4. */
const OTHER_PROFILES = /^(avc1\.(6e|7a|f4|2c)|vp09\.0[1-3]\.|av01\.[12]\.|av01\.0\.[^.]+\.10)/;

/** Why the pictures of a source cannot go to every browser by WebRTC as they are; undefined when they can. */
export function webrtcObstacle(track: VideoTrack, hasReorderedFrames: boolean): string | undefined {
  if (track.codec === 'hevc') return 'not every browser plays HEVC by WebRTC';
  if (hasReorderedFrames || announcesReordering(track)) return 'its pictures have B-frames, which WebRTC cannot play';
  if (OTHER_PROFILES.test(track.codecString)) return `no browser plays ${track.codecString} by WebRTC`;
  return undefined;
}

const announcesReordering = ({ codec, config }: VideoTrack): boolean =>
  ((codec === 'h264' ? h264ReorderDepth(config) : codec === 'hevc' ? hevcReorderDepth(config) : 0) ?? 0) > 0;
