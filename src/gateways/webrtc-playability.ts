import { h264ReorderDepth, hevcReorderDepth, type Track } from '../media/mod.ts';

/** Why a track cannot be played by WebRTC. */
export type UnplayableReason = 'b-frames' | 'codec';

/** Whether WebRTC viewers get a track, and if not, why. `rendition`: what is played in place of the publisher's own track. */
export type Playability =
  | { readonly playable: true; readonly rendition?: string }
  | { readonly playable: false; readonly reason: UnplayableReason; readonly message: string };

/** By kind of track; a kind that the stream does not have is absent. */
export interface WebrtcPlayability {
  readonly video?: Playability;
  readonly audio?: Playability;
}

const PLAYABLE: Playability = { playable: true };
/** RFC 7587 section 7: Opus in RTP is mono or stereo; decoders of browsers take no more. */
const OPUS_CHANNELS_MAX = 2;

/**
 * What of a stream's tracks a WebRTC viewer can get without transcoding. Browsers show the frames of an RTP stream in the order in which they
 * are decoded, so B-frames cannot be played; nor have they decoders for AAC and MP3 there (RFC 7874 asks for Opus).
 */
export function webrtcPlayability(tracks: readonly Track[], hasReorderedFrames: boolean): WebrtcPlayability {
  const video = tracks.find((track) => track.kind === 'video');
  const audio = tracks.find((track) => track.kind === 'audio');
  return {
    ...(video === undefined ? {} : { video: trackPlayability(video, hasReorderedFrames) }),
    ...(audio === undefined ? {} : { audio: trackPlayability(audio, hasReorderedFrames) }),
  };
}

/**
 * As {@link webrtcPlayability} says of a stream, with the renditions that fill what its own tracks lack. `withheld`: renditions that are not there
 * for now; one that would have filled it is named, as its reason is the viewer's.
 */
export function playabilityWith(
  own: WebrtcPlayability,
  renditions: Iterable<RenditionLike>,
  withheld: readonly WithheldRendition[] = [],
): WebrtcPlayability {
  const all = [...renditions];
  const filled = (kind: 'video' | 'audio'): Playability | undefined => {
    const track = own[kind];
    if (track?.playable !== false) return track;
    const fills = (one: RenditionLike): boolean => one.kind === kind && (kind === 'video' || one.expected?.codec === 'opus');
    const rendition = all.find(fills);
    if (rendition !== undefined) return { playable: true, rendition: rendition.name };
    const missing = withheld.find(fills);
    if (missing === undefined) return track;
    return { ...track, message: `${track.message}; the rendition ${missing.name} would be played in its place, but ${missing.reason}` };
  };
  const [video, audio] = [filled('video'), filled('audio')];
  return { ...(video === undefined ? {} : { video }), ...(audio === undefined ? {} : { audio }) };
}

/** What of a rendition decides whether it can stand in for a track. */
interface RenditionLike {
  readonly name: string;
  readonly kind: 'video' | 'audio';
  readonly expected: { readonly codec: string } | undefined;
}

/** A rendition that is not offered for now. */
export interface WithheldRendition extends RenditionLike {
  readonly reason: string;
}

/** As {@link webrtcPlayability}, for one track. */
export function trackPlayability(track: Track, hasReorderedFrames: boolean): Playability {
  if (track.kind === 'audio') {
    if (track.codec === 'opus' && track.channels <= OPUS_CHANNELS_MAX) return PLAYABLE;
    if (track.codec === 'opus') {
      return unplayable('codec', `Opus with ${track.channels} channels cannot be played by WebRTC: publish mono or stereo`);
    }
    return unplayable('codec', `${track.codec.toUpperCase()} sound cannot be played by WebRTC: publish Opus`);
  }
  if (!announcesReordering(track) && !hasReorderedFrames) return PLAYABLE;
  return unplayable('b-frames', 'pictures with B-frames cannot be played by WebRTC: switch B-frames off in the encoder');
}

/** Whether the configuration record says that frames come in another order than they are shown. VP8, VP9 and AV1 hide such frames in others. */
function announcesReordering(track: Track): boolean {
  const known = reorderings.get(track.config);
  if (known !== undefined) return known;
  const found = readsReordering(track);
  reorderings.set(track.config, found);
  return found;
}

/** A configuration record is never written to, and lists ask for each stream each time. */
const reorderings = new WeakMap<Uint8Array, boolean>();

function readsReordering({ codec, config }: Track): boolean {
  if (codec === 'h264') return (h264ReorderDepth(config) ?? 0) > 0;
  return codec === 'hevc' && (hevcReorderDepth(config) ?? 0) > 0;
}

const unplayable = (reason: UnplayableReason, message: string): Playability => ({ playable: false, reason, message });
