import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../core/mod.ts';
import { fuzz } from '../../media/codecs/mutations.fixture.ts';
import { aacSamples, h264Main, hevcMain, hex, opusSamples } from '../../media/codecs/samples.fixture.ts';
import { type AudioTrack, audioTrack, type VideoCodec, videoTrack } from '../../media/mod.ts';
import { parseAudioTagBody } from './audio-tag-body.ts';
import { audioConfigBody, audioFrameHeaderSize, writeAudioFrameHeader } from './audio-tag-writer.ts';
import type { MediaMessage, MediaMessageListener } from './media-message.ts';
import { parseVideoTagBody } from './video-tag-body.ts';
import { videoConfigBody, videoFrameHeaderSize, writeVideoFrameHeader } from './video-tag-writer.ts';

const messages = (parse: (body: Uint8Array, onMessage: MediaMessageListener) => void, body: string | Uint8Array): MediaMessage[] => {
  const list: MediaMessage[] = [];
  parse(typeof body === 'string' ? hex(body) : body, (message) => list.push(message));
  return list;
};
const video = (body: string | Uint8Array): MediaMessage[] => messages(parseVideoTagBody, body);
const audio = (body: string | Uint8Array): MediaMessage[] => messages(parseAudioTagBody, body);
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return 'none';
};
const frame = { trackId: 0, timestampOffsetNs: 0, isKeyframe: true, compositionTimeMs: 0, kind: 'video-frame' };

describe('video tag bodies', () => {
  it('reads legacy H.264', () => {
    expect(video('17 00 000000 0142')).toEqual([{ kind: 'video-config', trackId: 0, codec: 'h264', config: hex('0142') }]);
    expect(video('27 01 ffffd8 aabb')).toEqual([
      { ...frame, codec: 'h264', isKeyframe: false, compositionTimeMs: -40, payload: hex('aabb') },
    ]);
    expect(video('17 02 000000')).toEqual([{ kind: 'end-of-sequence', trackId: 0, media: 'video' }]);
    expect(video('1c 01 000028 aa')).toMatchObject([{ codec: 'hevc', compositionTimeMs: 40 }]);
  });

  it('reads Enhanced RTMP v1: sequence start, coded frames with and without composition time, sequence end', () => {
    expect(video('90 68766331 01')).toEqual([{ kind: 'video-config', trackId: 0, codec: 'hevc', config: hex('01') }]);
    expect(video('91 68766331 000021 aa')).toEqual([{ ...frame, codec: 'hevc', compositionTimeMs: 33, payload: hex('aa') }]);
    expect(video('a3 68766331 aa')).toEqual([{ ...frame, codec: 'hevc', isKeyframe: false, payload: hex('aa') }]);
    expect(video('91 61766331 000021 aa')).toMatchObject([{ codec: 'h264', compositionTimeMs: 33 }]);
    for (const [code, codec] of [
      ['61763031', 'av1'],
      ['76703039', 'vp9'],
      ['76703038', 'vp8'],
    ]) {
      expect(video(`91 ${code} aabb`)).toEqual([{ ...frame, codec, payload: hex('aabb') }]);
    }
    expect(video('92 68766331')).toEqual([{ kind: 'end-of-sequence', trackId: 0, media: 'video' }]);
    expect(video('94 68766331 02')).toEqual([{ kind: 'video-metadata', trackId: 0, body: hex('02') }]);
  });

  it('reads modifiers, also long and unknown ones', () => {
    expect(video('97 02 00c350 01 61763031 aa')).toEqual([{ ...frame, codec: 'av1', timestampOffsetNs: 50_000, payload: hex('aa') }]);
    expect(video(`97 00 ff 57 ff 00ff ${'00'.repeat(256)} 01 61763031 aa`)).toMatchObject([{ codec: 'av1', payload: hex('aa') }]);
    expect(codeOf(() => video('97 02 0f4240 01 61763031 aa'))).toBe('flv.bad-timestamp-offset');
    expect(codeOf(() => video('97 00 00 01 61763031 aa'))).toBe('flv.bad-timestamp-offset');
  });

  it('reads the three kinds of multitrack', () => {
    expect(video('96 01 61763031 03 aabb')).toEqual([{ ...frame, codec: 'av1', trackId: 3, payload: hex('aabb') }]);
    expect(video('96 11 61763031 00 000001 aa 01 000002 bbcc')).toEqual([
      { ...frame, codec: 'av1', payload: hex('aa') },
      { ...frame, codec: 'av1', trackId: 1, payload: hex('bbcc') },
    ]);
    expect(video('96 21 61763031 00 000001 aa 68766331 01 000005 000021 bbcc')).toEqual([
      { ...frame, codec: 'av1', payload: hex('aa') },
      { ...frame, codec: 'hevc', trackId: 1, compositionTimeMs: 33, payload: hex('bbcc') },
    ]);
    expect(codeOf(() => video('96 16 61763031'))).toBe('flv.bad-multitrack');
    expect(codeOf(() => video('96 31 61763031'))).toBe('flv.bad-multitrack');
    expect(codeOf(() => video('96 11 61763031 00 000009 aa'))).toBe('core.truncated');
  });

  it('names what it leaves out', () => {
    expect(video('')).toMatchObject([{ kind: 'ignored', reason: 'empty' }]);
    expect(video('17 01 000000')).toMatchObject([{ kind: 'ignored', reason: 'empty' }]);
    expect(video('22 00')).toMatchObject([{ kind: 'ignored', reason: 'unsupported-codec', detail: 'FLV video codec 2' }]);
    expect(video('91 76766331 00')).toMatchObject([{ kind: 'ignored', reason: 'unsupported-codec', detail: 'video fourCC "vvc1"' }]);
    expect(video('95 61763031 00')).toMatchObject([{ kind: 'ignored', reason: 'unsupported-packet' }]);
    expect(video('57 00')).toMatchObject([{ kind: 'ignored', reason: 'command' }]);
    expect(video('d1 00')).toMatchObject([{ kind: 'ignored', reason: 'command' }]);
  });

  it('refuses truncated and undefined headers', () => {
    expect(codeOf(() => video('17 01 0000'))).toBe('flv.truncated');
    expect(codeOf(() => video('17 03 000000'))).toBe('flv.bad-packet-type');
    expect(codeOf(() => video('91 6876'))).toBe('core.truncated');
    expect(codeOf(() => video('91 68766331 0000'))).toBe('flv.truncated');
  });

  it('reads back what it writes, for every codec', () => {
    for (const codec of ['h264', 'hevc', 'av1', 'vp8', 'vp9'] satisfies VideoCodec[]) {
      for (const compositionTimeMs of codec === 'h264' || codec === 'hevc' ? [0, 80, -80] : [0]) {
        const size = videoFrameHeaderSize(codec, compositionTimeMs);
        const body = new Uint8Array(size + 2).fill(0xaa);
        expect(writeVideoFrameHeader(body, 0, codec, false, compositionTimeMs)).toBe(size);
        expect(video(body)).toEqual([{ ...frame, codec, isKeyframe: false, compositionTimeMs, payload: hex('aaaa') }]);
      }
    }
    for (const { codec, config } of [
      { codec: 'h264', config: h264Main.config },
      { codec: 'hevc', config: hevcMain.config },
    ] as const) {
      expect(video(videoConfigBody(videoTrack(1, codec, config)))).toMatchObject([
        { kind: 'video-config', codec, config: videoTrack(1, codec, config).config },
      ]);
    }
  });

  it('survives mutated bytes', () => {
    const samples = ['17 00 000000 0142', '97 02 00c350 01 61763031 aa', '96 21 61763031 00 000001 aa 68766331 01 000005 000021 bbcc'];
    fuzz(samples.map(hex), (bytes) => parseVideoTagBody(bytes, () => undefined));
  });
});

describe('audio tag bodies', () => {
  it('reads legacy AAC and MP3', () => {
    expect(audio('af 00 1190')).toEqual([{ kind: 'audio-config', trackId: 0, codec: 'aac', config: hex('1190') }]);
    expect(audio('af 01 2110')).toEqual([{ kind: 'audio-frame', trackId: 0, codec: 'aac', timestampOffsetNs: 0, payload: hex('2110') }]);
    expect(audio('2f fffb')).toMatchObject([{ kind: 'audio-frame', codec: 'mp3', payload: hex('fffb') }]);
    expect(audio('ee fffb')).toMatchObject([{ codec: 'mp3' }]);
  });

  it('reads Enhanced RTMP v2: Opus, AAC and MP3, modifiers and multitrack', () => {
    expect(audio(`90 4f707573 ${Buffer.from(opusSamples.head).toString('hex')}`)).toMatchObject([
      { kind: 'audio-config', codec: 'opus', config: opusSamples.head },
    ]);
    expect(audio('91 4f707573 fc')).toMatchObject([{ kind: 'audio-frame', codec: 'opus', payload: hex('fc') }]);
    expect(audio('91 6d703461 21')).toMatchObject([{ codec: 'aac' }]);
    expect(audio('91 2e6d7033 ff')).toMatchObject([{ codec: 'mp3' }]);
    expect(audio('97 02 00c350 01 4f707573 fc')).toMatchObject([{ timestampOffsetNs: 50_000 }]);
    expect(audio('95 11 4f707573 00 000001 fc 01 000001 fd')).toMatchObject([{ trackId: 0 }, { trackId: 1, payload: hex('fd') }]);
    expect(audio('92 4f707573')).toEqual([{ kind: 'end-of-sequence', trackId: 0, media: 'audio' }]);
  });

  it('takes an empty Opus header as stereo', () => {
    const [message] = audio('90 4f707573');
    expect(message?.kind === 'audio-config' && audioTrack(2, 'opus', message.config).channels).toBe(2);
  });

  it('names what it leaves out, and refuses broken headers', () => {
    expect(audio('')).toMatchObject([{ kind: 'ignored', reason: 'empty' }]);
    expect(audio('91 61632d33 00')).toMatchObject([{ kind: 'ignored', reason: 'unsupported-codec', detail: 'audio fourCC "ac-3"' }]);
    expect(audio('bf 00')).toMatchObject([{ kind: 'ignored', reason: 'unsupported-codec' }]);
    expect(audio('94 4f707573 0102')).toMatchObject([{ kind: 'ignored', reason: 'unsupported-packet' }]);
    expect(codeOf(() => audio('af'))).toBe('flv.truncated');
    expect(codeOf(() => audio('af 02'))).toBe('flv.bad-packet-type');
  });

  it('reads back what it writes', () => {
    const aac = audioTrack(2, 'aac', aacSamples.stereo);
    const opus = audioTrack(2, 'opus', opusSamples.head);
    const mp3: AudioTrack = { ...aac, codec: 'mp3' };
    for (const track of [aac, opus, mp3]) {
      const size = audioFrameHeaderSize(track.codec);
      const body = new Uint8Array(size + 1).fill(0xaa);
      expect(writeAudioFrameHeader(body, 0, track)).toBe(size);
      expect(audio(body)).toMatchObject([{ kind: 'audio-frame', codec: track.codec, payload: hex('aa') }]);
    }
    expect(audio(audioConfigBody(aac) ?? '')).toMatchObject([{ config: aacSamples.stereo }]);
    expect(audio(audioConfigBody(opus) ?? '')).toMatchObject([{ config: opusSamples.head }]);
    expect(audioConfigBody(mp3)).toBeUndefined();
  });

  it('survives mutated bytes', () => {
    const samples = ['af 00 1190', '97 02 00c350 01 4f707573 fc', '95 21 4f707573 00 000001 fc 6d703461 01 000001 fd'];
    fuzz(samples.map(hex), (bytes) => parseAudioTagBody(bytes, () => undefined));
  });
});
