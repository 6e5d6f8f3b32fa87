import { describe, expect, it } from 'vitest';
import type { AudioTrack, Track, VideoTrack } from '../../media/mod.ts';
import { findBox, readBoxes } from './box-reader.fixture.ts';
import { trackTimescales } from './fragment-times.ts';
import { writeInitSegment } from './init-segment.ts';
import { readMovieNote } from './movie-note.ts';

const video = (codec: VideoTrack['codec']): VideoTrack => ({
  kind: 'video',
  id: 5,
  codec,
  timescale: 90_000,
  config: Uint8Array.of(1, 2, 3, 4),
  codecString: '',
  width: 1280,
  height: 720,
});
const audio = (codec: AudioTrack['codec'], sampleRate = 44_100): AudioTrack => ({
  kind: 'audio',
  id: 6,
  codec,
  timescale: codec === 'opus' ? 48_000 : sampleRate,
  config: codec === 'mp3' ? new Uint8Array(0) : Uint8Array.of(0x12, 0x10),
  codecString: '',
  sampleRate,
  channels: 2,
});
const STSD = 'trak/mdia/minf/stbl/stsd';
const moov = (tracks: readonly Track[]) => findBox(readBoxes(writeInitSegment(tracks)), 'moov');

describe('writeInitSegment', () => {
  it('is ftyp and moov with a trak and a trex for each track', () => {
    const boxes = readBoxes(writeInitSegment([video('h264'), audio('aac')]));
    expect(boxes.map((box) => box.type)).toEqual(['ftyp', 'moov']);
    expect(boxes[1]?.children.map((box) => box.type)).toEqual(['mvhd', 'trak', 'trak', 'mvex']);
    const trexs = findBox(boxes, 'moov/mvex').children;
    expect(trexs.map((trex) => new DataView(trex.body.buffer, trex.body.byteOffset).getUint32(4))).toEqual([1, 2]);
  });

  it('has room for what a file says of itself', () => {
    const note = Uint8Array.of(7, 8, 9);
    const bytes = writeInitSegment([video('h264')], note);
    const { body } = findBox(readBoxes(bytes), 'moov');
    expect([readMovieNote(body), trackTimescales(body)]).toEqual([note, [90_000]]);
    expect(readMovieNote(moov([video('h264')]).body)).toBeUndefined();
  });

  it.each([
    ['h264', 'avc1', 'avcC'],
    ['hevc', 'hvc1', 'hvcC'],
    ['av1', 'av01', 'av1C'],
    ['vp9', 'vp09', 'vpcC'],
    ['vp8', 'vp08', 'vpcC'],
  ] as const)('puts %s into %s with its configuration in %s', (codec, entry, configuration) => {
    const box = findBox(moov([video(codec)]).children, `${STSD}/${entry}/${configuration}`);
    expect([...box.body]).toEqual([1, 2, 3, 4]);
  });

  it('keeps the track’s own timescale', () => {
    const mdhd = findBox(moov([audio('aac')]).children, 'trak/mdia/mdhd').body;
    expect(new DataView(mdhd.buffer, mdhd.byteOffset).getUint32(12)).toBe(44_100);
  });

  it('describes AAC in an esds with its AudioSpecificConfig', () => {
    const esds = [...findBox(moov([audio('aac')]).children, `${STSD}/mp4a/esds`).body];
    expect(esds.slice(4)).toEqual([
      0x03, 25, 0, 0, 0, 0x04, 17, 0x40, 0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x05, 2, 0x12, 0x10, 0x06, 1, 2,
    ]);
  });

  it('describes MP3 by the MPEG version’s object type, without specific information', () => {
    const type = (sampleRate: number) => findBox(moov([audio('mp3', sampleRate)]).children, `${STSD}/mp4a/esds`).body[11];
    expect([type(44_100), type(22_050)]).toEqual([0x6b, 0x69]);
  });

  it('describes Opus in dOps', () => {
    expect([...findBox(moov([audio('opus', 48_000)]).children, `${STSD}/Opus/dOps`).body]).toEqual([0x12, 0x10]);
  });

  it('gives equal bytes for equal tracks', () => {
    expect(writeInitSegment([video('av1'), audio('opus')])).toEqual(writeInitSegment([video('av1'), audio('opus')]));
  });
});
