import { describe, expect, it } from 'vitest';
import type { LiveStream } from '../../hub/mod.ts';
import type { Track } from '../../media/mod.ts';
import { chromiumRecvonly } from '../../protocols/sdp/chromium-play-offer.fixture.ts';
import { answerPlay, type LocalTransport, parseSessionDescription } from '../../protocols/sdp/mod.ts';
import { playTracks } from './play-tracks.ts';
import { trackHomes } from './track-home.ts';

const codecStrings = { h264: 'avc1.42e01f', hevc: 'hvc1.1.6.L93.B0', vp9: 'vp09.00.31.08', opus: 'opus', aac: 'mp4a.40.2' } as const;
type Codec = keyof typeof codecStrings;

const transport: LocalTransport = {
  ice: { ufrag: 'ours', pwd: 'a'.repeat(24) },
  fingerprint: Array(32).fill('AB').join(':'),
  candidates: [],
  sessionId: '1',
};

const kindOf = (codec: Codec): 'audio' | 'video' => (codec === 'opus' || codec === 'aac' ? 'audio' : 'video');
const trackOf = (codec: Codec): Track => ({ kind: kindOf(codec), codec, codecString: codecStrings[codec] }) as Track;

/** A stream with tracks of these codecs, and renditions that are offered and not made yet. */
function stream(codecs: readonly Codec[], renditions: readonly (readonly [name: string, codec: Codec, bitrateBps: number])[]): LiveStream {
  return {
    tracks: codecs.map(trackOf),
    renditions: new Map(
      renditions.map(([name, codec, bitrateBps]) => [
        name,
        { kind: kindOf(codec), name, tracks: [], expected: { codec, codecString: codecStrings[codec], bitrateBps } },
      ]),
    ),
  } as unknown as LiveStream;
}

/** What WebRTC can play of a stream itself: all but AAC. */
const carries =
  ({ tracks }: LiveStream) =>
  (kind: string) =>
    tracks.find((track) => track.kind === kind && track.codec !== 'aac');
const homesOf = (of: LiveStream) => trackHomes(of, carries(of));

/** The names that an offer is answered with, in the order of its sections. */
function chosen(of: LiveStream, offer: string): string[] {
  const tracks = homesOf(of).map((home, index) => ({ home, ssrc: 2 * index + 1, rtxSsrc: 2 * index + 2 }));
  const { negotiated } = answerPlay(parseSessionDescription(offer), playTracks(tracks, 'cname'), { transport });
  return negotiated.media.map(({ trackIndex = -1 }) => tracks[trackIndex]?.home.name ?? '');
}

const LADDER = [
  ['180p', 'h264', 200_000],
  ['webrtc', 'h264', 2_500_000],
  ['opus', 'opus', 128_000],
] as const;

describe('trackHomes', () => {
  it('has the source first, then renditions by bit rate, for each kind', () => {
    expect(homesOf(stream(['hevc', 'opus'], LADDER)).map(({ kind, name }) => [kind, name])).toEqual([
      ['video', 'source'],
      ['video', 'webrtc'],
      ['video', '180p'],
      ['audio', 'source'],
      ['audio', 'opus'],
    ]);
  });

  it('leaves out what WebRTC cannot carry, and makes up no kind that the source does not have', () => {
    expect(homesOf(stream(['aac'], LADDER)).map(({ name }) => name)).toEqual(['opus']);
    expect(homesOf(stream(['hevc'], LADDER)).map(({ name }) => name)).toEqual(['source', 'webrtc', '180p']);
  });
});

describe('an offer', () => {
  const chromiumHevc = chromiumRecvonly.replace(/VP9\/90000/, 'H265/90000').replaceAll(/^a=fmtp:(\d+) profile-id=0\r\n/gm, '');

  it('without the source’s codec gets the best rendition that it has one for', () => {
    expect(chosen(stream(['hevc', 'aac'], LADDER), chromiumRecvonly).sort()).toEqual(['opus', 'webrtc']);
    expect(chosen(stream(['hevc', 'opus'], [['180p', 'h264', 200_000]]), chromiumRecvonly).sort()).toEqual(['180p', 'source']);
  });

  it('with the source’s codec gets the source', () => {
    expect(chosen(stream(['hevc'], LADDER), chromiumHevc)).toEqual(['source']);
    expect(chosen(stream(['vp9'], LADDER), chromiumRecvonly)).toEqual(['source']);
  });

  it('that has none of the codecs is refused', () => {
    expect(() => chosen(stream(['hevc'], []), chromiumRecvonly)).toThrow(/sdp\.no-usable-codec|no .*codec/);
  });
});
