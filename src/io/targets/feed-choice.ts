import { type Playability, webrtcPlayability } from '../../gateways/mod.ts';
import type { FrameSource, LiveStream, Rendition } from '../../hub/mod.ts';
import type { Track } from '../../media/mod.ts';
import type { TargetProtocol, TargetReason } from '../../targets/mod.ts';
import type { FeedChoice } from './frame-feed.ts';

/** What an app calls the stream as it is published. */
export const SOURCE = 'source';

/** What a target is sent of a stream; a reason when it has nothing that fits, until its tracks or renditions change. */
export function chooseFeeds(stream: LiveStream, rendition: string, protocol: TargetProtocol): readonly FeedChoice[] | TargetReason {
  const frames = rendition === SOURCE ? stream : stream.renditions.get(rendition);
  if (frames === undefined) {
    const names = [SOURCE, ...stream.renditions.keys()].join(', ');
    return { code: 'targets.rendition', message: `the stream has no rendition "${rendition}" now: it has ${names}` };
  }
  return protocol === 'whip' ? chooseForWhip(stream, frames) : [{ frames, kinds: ['video', 'audio'] }];
}

/** Pictures without B-frames in H.264, and Opus: the stream's own, or of the renditions that WHEP viewers get in their place. */
function chooseForWhip(stream: LiveStream, wanted: FrameSource): readonly FeedChoice[] | TargetReason {
  const choices: FeedChoice[] = [];
  for (const kind of ['video', 'audio'] as const) {
    if (!stream.tracks.some((track) => track.kind === kind)) continue;
    const home = whipHome(stream, wanted, kind);
    if (home === undefined) return refusal(stream, kind);
    const same = choices.find(({ frames }) => frames === home);
    if (same === undefined) choices.push({ frames: home, kinds: [kind] });
    else choices[choices.indexOf(same)] = { frames: home, kinds: [...same.kinds, kind] };
  }
  return choices;
}

function whipHome(stream: LiveStream, wanted: FrameSource, kind: Track['kind']): FrameSource | undefined {
  const codec = kind === 'video' ? 'h264' : 'opus';
  const isFit = (frames: FrameSource): boolean =>
    frames.tracks.some((track) => track.kind === kind && track.codec === codec) &&
    webrtcPlayability(frames.tracks, frames.hasReorderedFrames)[kind]?.playable === true;
  // A rung is made without B-frames; one that is made on demand has no tracks yet.
  const isRung = (rendition: FrameSource): rendition is Rendition =>
    'expected' in rendition && (rendition as Rendition).kind === kind && (rendition as Rendition).expected?.codec === codec;
  if (isFit(wanted) || (wanted !== stream && isRung(wanted))) return wanted;
  if (wanted !== stream && kind === 'video') return undefined;
  if (isFit(stream)) return stream;
  return [...stream.renditions.values()]
    .filter((rendition) => isRung(rendition))
    .sort((left, right) => (right.expected?.bitrateBps ?? 0) - (left.expected?.bitrateBps ?? 0))[0];
}

function refusal(stream: LiveStream, kind: Track['kind']): TargetReason {
  const own: Playability | undefined = webrtcPlayability(stream.tracks, stream.hasReorderedFrames)[kind];
  const codec = stream.tracks.find((track) => track.kind === kind)?.codec ?? '';
  const why = own?.playable === false ? own.message : `${codec} is not what all WHIP servers take`;
  const [code, needed] = kind === 'video' ? ['targets.video', 'H.264 without B-frames'] : ['targets.audio', 'Opus'];
  return { code, message: `WHIP targets are sent ${needed}, and the app's ladder offers none: ${why}` };
}
