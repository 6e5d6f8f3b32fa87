import { ByteWriter } from '../../core/mod.ts';
import type { Track } from '../../media/mod.ts';
import { box, fourCc, fullBox } from './box-writer.ts';
import { writeMovieNote } from './movie-note.ts';
import { writeSampleEntry } from './sample-entry.ts';

const MOVIE_TIMESCALE = 1000;
const LANGUAGE_UNDETERMINED = 0x55c4;
const TRACK_ENABLED_IN_MOVIE = 0x000003;
const MEDIA_IN_SAME_FILE = 0x000001;

/**
 * The init segment (`ftyp`, `moov`) for muxed fragments of `tracks`: track_ID is the track's position counted from 1, the
 * media timescale is the track's own. There are no edit lists: composition offsets are signed and the timeline is shared.
 * Equal tracks give equal bytes. The result is given to the caller. `note`: what the file says of itself to who reads it with {@link readMovieNote}.
 */
export function writeInitSegment(tracks: readonly Track[], note?: Uint8Array): Uint8Array {
  const writer = new ByteWriter(1024);
  box(writer, 'ftyp', () => {
    // default-base-is-moof asks for iso5 or later, signed composition offsets for iso6 (ISO/IEC 14496-12, annex E).
    fourCc(writer, 'iso6');
    writer.u32(0);
    for (const brand of ['iso6', 'mp41']) fourCc(writer, brand);
  });
  box(writer, 'moov', () => {
    writeMovieHeader(writer, tracks.length + 1);
    tracks.forEach((track, index) => {
      writeTrack(writer, track, index + 1);
    });
    box(writer, 'mvex', () => {
      tracks.forEach((_, index) => {
        fullBox(writer, 'trex', 0, 0, () =>
          writer
            .u32(index + 1)
            .u32(1)
            .u32(0)
            .u32(0)
            .u32(0),
        );
      });
    });
    if (note !== undefined) writeMovieNote(writer, note);
  });
  return writer.finish();
}

function writeMatrix(writer: ByteWriter): void {
  writer.u32(0x10000).zeros(12).u32(0x10000).zeros(12).u32(0x40000000);
}

function writeMovieHeader(writer: ByteWriter, nextTrackId: number): void {
  fullBox(writer, 'mvhd', 0, 0, () => {
    writer.u32(0).u32(0).u32(MOVIE_TIMESCALE).u32(0); // no creation time: the bytes depend on the tracks alone
    writer.u32(0x10000).u16(0x0100).zeros(10);
    writeMatrix(writer);
    writer.zeros(24).u32(nextTrackId);
  });
}

function writeTrack(writer: ByteWriter, track: Track, trackId: number): void {
  const isVideo = track.kind === 'video';
  box(writer, 'trak', () => {
    fullBox(writer, 'tkhd', 0, TRACK_ENABLED_IN_MOVIE, () => {
      writer.u32(0).u32(0).u32(trackId).u32(0).u32(0);
      writer.zeros(8).u16(0).u16(0);
      writer.u16(isVideo ? 0 : 0x0100).u16(0);
      writeMatrix(writer);
      writer.u16(isVideo ? track.width : 0).u16(0);
      writer.u16(isVideo ? track.height : 0).u16(0);
    });
    box(writer, 'mdia', () => {
      fullBox(writer, 'mdhd', 0, 0, () => writer.u32(0).u32(0).u32(track.timescale).u32(0).u16(LANGUAGE_UNDETERMINED).u16(0));
      fullBox(writer, 'hdlr', 0, 0, () => {
        writer.u32(0);
        fourCc(writer, isVideo ? 'vide' : 'soun');
        writer.zeros(13); // reserved, then an empty name
      });
      writeMediaInformation(writer, track);
    });
  });
}

function writeMediaInformation(writer: ByteWriter, track: Track): void {
  box(writer, 'minf', () => {
    if (track.kind === 'video') fullBox(writer, 'vmhd', 0, 1, () => writer.zeros(8));
    else fullBox(writer, 'smhd', 0, 0, () => writer.zeros(4));
    box(writer, 'dinf', () => {
      fullBox(writer, 'dref', 0, 0, () => {
        writer.u32(1);
        fullBox(writer, 'url ', 0, MEDIA_IN_SAME_FILE, () => undefined);
      });
    });
    box(writer, 'stbl', () => {
      fullBox(writer, 'stsd', 0, 0, () => {
        writer.u32(1);
        writeSampleEntry(writer, track);
      });
      // The sample tables must be there and are empty: all samples are in fragments.
      fullBox(writer, 'stts', 0, 0, () => writer.u32(0));
      fullBox(writer, 'stsc', 0, 0, () => writer.u32(0));
      fullBox(writer, 'stsz', 0, 0, () => writer.u32(0).u32(0));
      fullBox(writer, 'stco', 0, 0, () => writer.u32(0));
    });
  });
}
