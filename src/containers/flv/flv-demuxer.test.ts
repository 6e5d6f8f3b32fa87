import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../core/mod.ts';
import { fuzz } from '../../media/codecs/mutations.fixture.ts';
import { h264Main, opusSamples } from '../../media/codecs/samples.fixture.ts';
import { audioTrack, videoTrack } from '../../media/mod.ts';
import { FlvDemuxer, type FlvTag } from './flv-demuxer.ts';
import { flvFileHeader, flvTag } from './flv-tag.ts';
import { onMetaDataBody, parseOnMetaData } from './on-meta-data.ts';

const concatenate = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));
const file = concatenate(
  flvFileHeader(true, false),
  flvTag('script', 0, Uint8Array.of(2, 0, 0)),
  flvTag('audio', 0xff_00_00_01, Uint8Array.of(0xaf, 1, 7)),
  flvTag('video', -1, new Uint8Array(300).fill(9)),
  flvTag('video', 40, new Uint8Array(0)),
);

function demux(pieces: readonly Uint8Array[], tagBytesMax = 1000): { flags: boolean[]; tags: FlvTag[] } {
  const tags: FlvTag[] = [];
  const flags: boolean[] = [];
  const demuxer = new FlvDemuxer({ header: (...both) => flags.push(...both), tag: (tag) => tags.push(tag) }, { tagBytesMax });
  for (const piece of pieces) demuxer.receive(piece);
  return { flags, tags };
}
const codeOf = (bytes: Uint8Array, tagBytesMax?: number): string => {
  try {
    demux([bytes], tagBytesMax);
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return 'none';
};

describe('FlvDemuxer', () => {
  it('finds header flags and tags', () => {
    const { flags, tags } = demux([file]);
    expect(flags).toEqual([true, false]);
    expect(tags.map(({ type, timestampMs, body }) => [type, timestampMs, body.length])).toEqual([
      ['script', 0, 3],
      ['audio', 0xff_00_00_01, 3],
      ['video', 0xff_ff_ff_ff, 300],
      ['video', 40, 0],
    ]);
  });

  it('finds the same tags however the bytes are cut', () => {
    const whole = demux([file]).tags;
    expect(demux([...file].map((byte) => Uint8Array.of(byte))).tags).toEqual(whole);
    fc.assert(
      fc.property(fc.array(fc.nat({ max: file.length }), { maxLength: 8 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), file.length];
        const pieces = at.slice(1).map((end, index) => file.subarray(at[index], end));
        expect(demux(pieces).tags).toEqual(whole);
      }),
      { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) },
    );
  });

  it('refuses what is no FLV, is too large, or is out of step', () => {
    const changed = (at: number, value: number): Uint8Array => file.with(at, value);
    expect(codeOf(changed(0, 0x47))).toBe('flv.bad-signature');
    expect(codeOf(changed(6, 0xff))).toBe('flv.bad-header');
    expect(codeOf(changed(13, 0x29))).toBe('flv.bad-tag-type');
    expect(codeOf(changed(13 + 11 + 3 + 3, 0))).toBe('flv.bad-previous-tag-size');
    expect(codeOf(file, 299)).toBe('flv.tag-too-large');
  });

  it('survives mutated bytes', () => {
    fuzz([file], (bytes) => demux([bytes.subarray(0, 40), bytes.subarray(40)]));
  });
});

describe('onMetaData', () => {
  it('describes tracks in the numbers that players look for', () => {
    const body = onMetaDataBody([videoTrack(1, 'h264', h264Main.config), audioTrack(2, 'opus', opusSamples.head)]);
    expect(Object.fromEntries(parseOnMetaData(body) ?? [])).toMatchObject({
      width: 322,
      height: 182,
      framerate: 30,
      videocodecid: 7,
      audiocodecid: 0x4f707573,
      audiosamplerate: 48_000,
      stereo: true,
    });
  });
});
