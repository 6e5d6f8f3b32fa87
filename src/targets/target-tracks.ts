import type { Track } from '../media/mod.ts';
import type { TargetReason } from './target-supervisor.ts';
import type { TargetProtocol } from './target-url.ts';

/** What MPEG-TS carries in a way that receivers agree on. */
const MPEG_TS: ReadonlySet<Track['codec']> = new Set(['h264', 'hevc', 'aac', 'mp3', 'opus']);
/** What WHIP targets are sent: RFC 7742 and RFC 7874 make all receivers take them. */
const WHIP: ReadonlySet<Track['codec']> = new Set(['h264', 'opus']);
/** What FLV had from the beginning. */
const LEGACY_FLV: ReadonlySet<Track['codec']> = new Set(['h264', 'aac', 'mp3']);
/** Enhanced RTMP v2, "FourCC". */
const FOUR_CC: Readonly<Record<Track['codec'], string>> = {
  h264: 'avc1',
  hevc: 'hvc1',
  av1: 'av01',
  vp9: 'vp09',
  vp8: 'vp08',
  aac: 'mp4a',
  opus: 'Opus',
  mp3: '.mp3',
};

/** The first video and the first audio track: what every target can be sent. */
export function sentTracks(tracks: readonly Track[]): readonly Track[] {
  return (['video', 'audio'] as const).flatMap((kind) => tracks.find((track) => track.kind === kind) ?? []);
}

/** Why a protocol does not carry one of the tracks; undefined when it does. What Enhanced RTMP adds is for {@link enhancedRefusal} to say. */
export function codecRefusal(protocol: TargetProtocol, tracks: readonly Track[]): TargetReason | undefined {
  if (protocol === 'rtmp') return undefined;
  const [carried, name] = protocol === 'srt' ? [MPEG_TS, 'MPEG-TS (SRT)'] : [WHIP, 'WHIP'];
  return refusal(
    tracks.filter(({ codec }) => !carried.has(codec)),
    `not carried by ${name}: it takes ${[...carried].join(', ')}; choose a rendition that has one of these`,
  );
}

/**
 * Why an RTMP peer does not take one of the tracks. `fourCcs`: what it said it takes in Enhanced RTMP (`*` is everything), empty for a peer that knows
 * nothing of it.
 */
export function enhancedRefusal(tracks: readonly Track[], fourCcs: ReadonlySet<string>): TargetReason | undefined {
  return refusal(
    tracks.filter(({ codec }) => !LEGACY_FLV.has(codec) && !fourCcs.has('*') && !fourCcs.has(FOUR_CC[codec])),
    'only carried by Enhanced RTMP, and the target does not say that it takes it; choose a rendition with H.264 and AAC',
  );
}

function refusal(tracks: readonly Track[], what: string): TargetReason | undefined {
  if (tracks.length === 0) return undefined;
  return { code: 'targets.codec', message: `${tracks.map(({ codec }) => codec).join(' and ')}: ${what}` };
}
