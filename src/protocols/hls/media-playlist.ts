/** One EXT-X-PART. */
export interface PlaylistPart {
  readonly uri: string;
  readonly durationS: number;
  /** It contains a frame at which decoding can start. */
  readonly isIndependent: boolean;
  /** Nobody has it (4.4.4.9). */
  readonly isGap?: boolean;
}

/** A Media Segment of a playlist; the last one may still be growing. */
export interface PlaylistSegment {
  readonly sequence: number;
  readonly uri: string;
  readonly durationS: number;
  /** Unix time of the first frame in milliseconds, for EXT-X-PROGRAM-DATE-TIME. */
  readonly startMs: number;
  /** Its Discontinuity Sequence Number. */
  readonly discontinuity: number;
  /** The init segment it needs. */
  readonly mapUri: string;
  readonly parts: readonly PlaylistPart[];
  /** False while parts are still to come: then it has no EXTINF and no URI in the playlist. */
  readonly isComplete: boolean;
  /** It is not to be loaded, as not all of it is there; its parts are (4.4.4.7). */
  readonly isGap?: boolean;
}

/** How far another rendition has come, for EXT-X-RENDITION-REPORT. */
export interface RenditionReport {
  readonly uri: string;
  readonly lastSequence: number;
  readonly lastPart: number;
}

/** All that a media playlist says. `segments` are consecutive and not empty. */
export interface MediaPlaylist {
  readonly targetDurationS: number;
  readonly partTargetMs: number;
  readonly segments: readonly PlaylistSegment[];
  /** The part that comes next, if it is known. */
  readonly preloadHintUri?: string;
  readonly isEnded: boolean;
  readonly renditionReports: readonly RenditionReport[];
}

/** EXT-X-SKIP came with version 9 (draft-pantos-hls-rfc8216bis, section 8). */
const VERSION = 9;
/** 4.4.3.8: HOLD-BACK is at least three target durations. */
const HOLD_BACK_TARGETS = 3;
/** 4.4.3.8: PART-HOLD-BACK is at least two part targets and should be three. */
const PART_HOLD_BACK_TARGETS = 3;
/** 4.4.3.8: the Skip Boundary is at least six target durations. */
const SKIP_BOUNDARY_TARGETS = 6;
/** 6.2.2: parts leave the playlist when they are further than three target durations from its end. */
const PART_WINDOW_TARGETS = 3;
const ROUNDING_S = 1e-6;

/** Renders the playlist; with `isDelta` as a Playlist Delta Update, which is the full one while there is nothing to skip. */
export function renderMediaPlaylist(playlist: MediaPlaylist, isDelta: boolean): string {
  const first = playlist.segments[0];
  if (first === undefined) return '';
  const skipped = isDelta && !playlist.isEnded ? countSkipped(playlist) : 0;
  let text = renderHeader(playlist, first);
  // 4.4.5.2: the tag stands for the segments and all tags that belong to them.
  if (skipped > 0) text += `#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}\n`;
  const partsFrom = firstWithParts(playlist);
  for (let i = skipped; i < playlist.segments.length; i++) {
    const segment = playlist.segments[i];
    if (segment !== undefined) text += renderSegment(segment, playlist.segments[i - 1], i >= partsFrom);
  }
  return text + renderEnd(playlist);
}

function renderHeader(playlist: MediaPlaylist, first: PlaylistSegment): string {
  const target = playlist.targetDurationS;
  const partTargetS = playlist.partTargetMs / 1000;
  let text = `#EXTM3U\n#EXT-X-VERSION:${VERSION}\n#EXT-X-TARGETDURATION:${target}\n`;
  const holdBack = `PART-HOLD-BACK=${decimal(partTargetS * PART_HOLD_BACK_TARGETS)},HOLD-BACK=${decimal(target * HOLD_BACK_TARGETS)}`;
  text += `#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,${holdBack},CAN-SKIP-UNTIL=${decimal(target * SKIP_BOUNDARY_TARGETS)}\n`;
  text += `#EXT-X-PART-INF:PART-TARGET=${decimal(partTargetS)}\n`;
  text += `#EXT-X-MEDIA-SEQUENCE:${first.sequence}\n#EXT-X-DISCONTINUITY-SEQUENCE:${first.discontinuity}\n`;
  return `${text}#EXT-X-INDEPENDENT-SEGMENTS\n`;
}

/** 6.2.5.1: segments further from the end of the last complete segment than the Skip Boundary. */
function countSkipped(playlist: MediaPlaylist): number {
  const boundaryS = playlist.targetDurationS * SKIP_BOUNDARY_TARGETS;
  let distanceS = 0;
  for (let i = playlist.segments.length - 1; i >= 0; i--) {
    const segment = playlist.segments[i];
    if (segment === undefined || !segment.isComplete) continue;
    if (distanceS > boundaryS + ROUNDING_S) return i + 1;
    distanceS += segment.durationS;
  }
  return 0;
}

/** Index of the first segment that lies within three target durations of the end with all its parts. */
function firstWithParts(playlist: MediaPlaylist): number {
  const windowS = playlist.targetDurationS * PART_WINDOW_TARGETS;
  let distanceS = 0;
  let index = playlist.segments.length;
  for (; index > 0; index--) {
    distanceS += playlist.segments[index - 1]?.durationS ?? 0;
    if (distanceS > windowS + ROUNDING_S) break;
  }
  return index;
}

function renderSegment(segment: PlaylistSegment, previous: PlaylistSegment | undefined, withParts: boolean): string {
  let text = '';
  // 4.4.4.3: one tag for each step, so that counting tags from EXT-X-DISCONTINUITY-SEQUENCE gives the stamped number.
  if (previous !== undefined) text += '#EXT-X-DISCONTINUITY\n'.repeat(Math.max(0, segment.discontinuity - previous.discontinuity));
  // 4.4.4.5: a map holds until the next one.
  if (previous?.mapUri !== segment.mapUri) text += `#EXT-X-MAP:URI="${segment.mapUri}"\n`;
  text += `#EXT-X-PROGRAM-DATE-TIME:${new Date(Math.floor(segment.startMs)).toISOString()}\n`;
  if (withParts) {
    for (const part of segment.parts) {
      // 4.4.4.9: INDEPENDENT tells that the part contains an independent frame.
      const attribute = part.isGap === true ? ',GAP=YES' : part.isIndependent ? ',INDEPENDENT=YES' : '';
      text += `#EXT-X-PART:DURATION=${decimal(part.durationS)},URI="${part.uri}"${attribute}\n`;
    }
  }
  if (!segment.isComplete) return text;
  if (segment.isGap === true) text += '#EXT-X-GAP\n';
  return `${text}#EXTINF:${decimal(segment.durationS)},\n${segment.uri}\n`;
}

function renderEnd(playlist: MediaPlaylist): string {
  if (playlist.isEnded) return '#EXT-X-ENDLIST\n';
  let text = '';
  // 6.2.6: one hint of a type at most; requests for it are held until the part is complete.
  if (playlist.preloadHintUri !== undefined) text += `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${playlist.preloadHintUri}"\n`;
  for (const report of playlist.renditionReports) {
    text += `#EXT-X-RENDITION-REPORT:URI="${report.uri}",LAST-MSN=${report.lastSequence},LAST-PART=${report.lastPart}\n`;
  }
  return text;
}

/** A decimal-floating-point (4.2) with at most five places. */
export const decimal = (value: number): string => String(Math.round(value * 100_000) / 100_000);
