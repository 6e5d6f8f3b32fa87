import { utf8Encode } from '../core/mod.ts';
import {
  type MediaPlaylist,
  type PlaylistEdge,
  type RenditionReport,
  renderMediaPlaylist,
  type VariantStream,
} from '../protocols/hls/mod.ts';
import type { HlsSegment } from './hls-segment.ts';
import { describeVariant } from './hls-variant.ts';

/**
 * The playlists of one moment. Their bytes (UTF-8, shared, never to be written to) are made when first asked for, so that a
 * stream that nobody watches costs none.
 */
export class HlsPlaylists {
  readonly edge: PlaylistEdge;
  readonly targetDurationS: number;
  readonly partTargetMs: number;
  /** Name of the part that comes next, if it is known. */
  readonly hintedName: string | undefined;
  readonly isEnded: boolean;
  private readonly playlist: MediaPlaylist;
  private readonly segments: readonly HlsSegment[];
  private mediaBytes: Uint8Array | undefined;
  private deltaBytes: Uint8Array | undefined;

  /** `segments`: consecutive, at least one; `siblings`: URIs of the other renditions' media playlists, relative to this one's. */
  constructor(
    segments: readonly HlsSegment[],
    targetDurationS: number,
    hintedName: string | undefined,
    isEnded: boolean,
    siblings: readonly string[],
  ) {
    const newest = segments.at(-1);
    this.segments = segments;
    this.targetDurationS = targetDurationS;
    this.partTargetMs = newest?.stamp.partTargetMs ?? 0;
    this.hintedName = hintedName;
    this.isEnded = isEnded;
    this.edge = edgeOf(segments);
    const hint = hintedName === undefined ? {} : { preloadHintUri: hintedName };
    this.playlist = {
      targetDurationS,
      partTargetMs: this.partTargetMs,
      segments,
      isEnded,
      renditionReports: reports(siblings, segments),
      ...hint,
    };
  }

  /**
   * Whether a player that comes now finds something to play. Players that do not know parts give up on a playlist without a
   * whole segment, so the very first playlist is better kept back until it has one; those that do know are not to wait for a
   * long group of pictures.
   */
  get isPlayable(): boolean {
    const first = this.segments[0];
    return this.isEnded || first?.isComplete === true || (first?.durationS ?? 0) >= 2 * this.targetDurationS;
  }

  get media(): Uint8Array {
    this.mediaBytes ??= utf8Encode(renderMediaPlaylist(this.playlist, false));
    return this.mediaBytes;
  }

  /** The media playlist as a delta update. */
  get delta(): Uint8Array {
    this.deltaBytes ??= utf8Encode(renderMediaPlaylist(this.playlist, true));
    return this.deltaBytes;
  }

  /** What the multivariant playlist says of this rendition; `uri` is the media playlist's there. */
  variant(uri: string): VariantStream {
    return describeVariant(uri, this.segments, this.targetDurationS);
  }
}

/**
 * All renditions of a stream have the same segments and parts with the same numbers, so that one can tell for the others how far they have come.
 * One that is a little behind holds the request for what it was said to have (4.4.5.4, 6.2.5.2).
 */
function reports(siblings: readonly string[], segments: readonly HlsSegment[]): readonly RenditionReport[] {
  const newest = segments.at(-1);
  if (newest === undefined) return [];
  return siblings.map((uri) => ({ uri, lastSequence: newest.sequence, lastPart: Math.max(0, newest.parts.length - 1) }));
}

function edgeOf(segments: readonly HlsSegment[]): PlaylistEdge {
  const newest = segments.at(-1);
  if (newest === undefined) return { openSequence: 0, openParts: 0, lastParts: 0 };
  if (newest.isComplete) return { openSequence: newest.sequence + 1, openParts: 0, lastParts: newest.parts.length };
  return { openSequence: newest.sequence, openParts: newest.parts.length, lastParts: segments.at(-2)?.parts.length ?? 0 };
}
