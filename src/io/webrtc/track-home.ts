import type { RtpKind } from '../../gateways/mod.ts';
import type { LiveStream, Rendition } from '../../hub/mod.ts';
import type { Track } from '../../media/mod.ts';
import type { BroadcastSource } from './stream-broadcasts.ts';

/** The name of the stream as it is published. */
export const SOURCE = 'source';

/** Where the pictures or the sound of a viewer come from: the stream itself, or a rendition that WebRTC can play where the stream cannot be. */
export interface TrackHome {
  readonly kind: RtpKind;
  /** `source`, or the rendition's name. */
  readonly name: string;
  readonly frames: BroadcastSource;
  readonly codec: Track['codec'];
  /** RFC 6381. */
  readonly codecString: string;
}

/**
 * The homes that a viewer can get each kind from, best first: the stream itself, where WebRTC can carry its track (which `carried` gives), then its
 * renditions by bit rate. Which one it gets is for its offer to say: not every browser decodes every codec. A rendition that is offered need not be
 * made yet.
 */
export function trackHomes(stream: LiveStream, carried: (kind: RtpKind) => Track | undefined): readonly TrackHome[] {
  return (['video', 'audio'] as const).flatMap((kind) => {
    // A kind that the stream does not have is not made up.
    if (!stream.tracks.some((one) => one.kind === kind)) return [];
    const track = carried(kind);
    const own = track && { kind, name: SOURCE, frames: stream, codec: track.codec, codecString: track.codecString };
    const renditions = [...stream.renditions.values()]
      .filter((rendition) => rendition.kind === kind)
      .flatMap((rendition) => homeIn(rendition, kind))
      .sort((a, b) => b.bitrateBps - a.bitrateBps)
      .map(({ home }) => home);
    return own === undefined ? renditions : [own, ...renditions];
  });
}

function homeIn(rendition: Rendition, kind: RtpKind): readonly { readonly home: TrackHome; readonly bitrateBps: number }[] {
  const { name, expected } = rendition;
  const track = rendition.tracks.find((one) => one.kind === kind) ?? expected;
  if (track === undefined || (kind === 'audio' && track.codec !== 'opus')) return [];
  const { codec, codecString } = track;
  return [
    { home: { kind, name, frames: rendition, codec, codecString }, bitrateBps: expected?.bitrateBps ?? rendition.stats().bitrateBps },
  ];
}
