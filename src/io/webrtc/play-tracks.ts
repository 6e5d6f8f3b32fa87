import type { PlayTrack, SdpCodec } from '../../protocols/sdp/mod.ts';
import type { ViewerTrack } from './webrtc-viewer.ts';

/** A viewer's tracks as an SDP answer describes them; all in one MediaStream, so that players keep them in step. */
export function playTracks(tracks: readonly ViewerTrack[], cname: string): readonly PlayTrack[] {
  return tracks.map(({ ssrc, rtxSsrc, home }) => ({
    codec: home.codec as SdpCodec,
    ssrc,
    ...(home.kind === 'video' ? { rtxSsrc } : {}),
    cname,
    streamId: cname,
    trackId: home.kind,
    ...profileOf(home.codecString),
  }));
}

/** What of a codec string (RFC 6381) decides who can decode the track. */
export function profileOf(codecString: string): Pick<PlayTrack, 'h264ProfileLevelId' | 'profile'> {
  const [name, second = ''] = codecString.split('.');
  switch (name) {
    case 'avc1':
    case 'avc3':
      return { h264ProfileLevelId: second };
    case 'hvc1':
    case 'hev1':
      // general_profile_space may stand before it as a letter (ISO/IEC 14496-15, E.3).
      return { profile: Number.parseInt(second.replace(/^[A-C]/, ''), 10) };
    case 'av01':
    case 'vp09':
      return { profile: Number.parseInt(second, 10) };
    default:
      return {};
  }
}
