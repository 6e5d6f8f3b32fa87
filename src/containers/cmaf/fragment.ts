/** What a fragment needs to know of one access unit; a hub frame is one. Borrowed: its payload is copied. */
export interface FragmentSample {
  readonly dts: number;
  readonly pts: number;
  readonly isKeyframe: boolean;
  readonly payload: Uint8Array;
}

/** The samples of one track in a fragment, in decoding order. */
export interface FragmentTrack {
  /** track_ID of the init segment, from 1. */
  readonly trackId: number;
  readonly kind: 'video' | 'audio';
  readonly samples: readonly FragmentSample[];
  /** One for each sample, in ticks of the track's timescale. */
  readonly durations: readonly number[];
}

const BOX_HEADER = 8;
const FULL_BOX_HEADER = 12;
const MFHD_SIZE = FULL_BOX_HEADER + 4;
const TFHD_SIZE = FULL_BOX_HEADER + 8;
const TFDT_SIZE = FULL_BOX_HEADER + 8;
const TRUN_HEADER_SIZE = FULL_BOX_HEADER + 8;
/** duration, size, and for video flags and composition offset. */
const SAMPLE_SIZE = { audio: 8, video: 16 } as const;

// ISO/IEC 14496-12, 8.8.7: default-base-is-moof, default-sample-flags-present.
const TFHD_FLAGS = 0x020020;
// ISO/IEC 14496-12, 8.8.8: data-offset, sample-duration, sample-size; and sample-flags, composition-time-offsets.
const TRUN_FLAGS = { audio: 0x000301, video: 0x000f01 } as const;
// ISO/IEC 14496-12, 8.8.3.1: sample_depends_on 2 (on no other) or 1 (on others) with sample_is_non_sync_sample.
const SYNC_SAMPLE = 0x02000000;
const NON_SYNC_SAMPLE = 0x01010000;

const MOOF = 0x6d6f6f66;
const MFHD = 0x6d666864;
const TRAF = 0x74726166;
const TFHD = 0x74666864;
const TFDT = 0x74666474;
const TRUN = 0x7472756e;
const MDAT = 0x6d646174;

const trunSize = (track: FragmentTrack): number => TRUN_HEADER_SIZE + track.samples.length * SAMPLE_SIZE[track.kind];
const trafSize = (track: FragmentTrack): number => BOX_HEADER + TFHD_SIZE + TFDT_SIZE + trunSize(track);

/**
 * One `moof` and `mdat` holding all tracks that have samples, in one buffer of its exact size, given to the caller.
 * Equal input gives equal bytes. `sequenceNumber` is taken modulo 2^32.
 */
export function writeFragment(sequenceNumber: number, tracks: readonly FragmentTrack[]): Uint8Array {
  const present = tracks.filter((track) => track.samples.length > 0);
  let moofSize = BOX_HEADER + MFHD_SIZE;
  let dataSize = 0;
  for (const track of present) {
    moofSize += trafSize(track);
    for (const sample of track.samples) dataSize += sample.payload.length;
  }
  const bytes = new Uint8Array(moofSize + BOX_HEADER + dataSize);
  const view = new DataView(bytes.buffer);
  let at = header(view, 0, moofSize, MOOF);
  at = header(view, at, MFHD_SIZE, MFHD);
  view.setUint32(at, 0);
  view.setUint32(at + 4, sequenceNumber >>> 0);
  at += 8;

  let dataAt = moofSize + BOX_HEADER;
  for (const track of present) {
    at = writeTraf(view, at, track, dataAt);
    for (const sample of track.samples) {
      bytes.set(sample.payload, dataAt);
      dataAt += sample.payload.length;
    }
  }
  header(view, at, BOX_HEADER + dataSize, MDAT);
  return bytes;
}

function header(view: DataView, at: number, size: number, type: number): number {
  view.setUint32(at, size);
  view.setUint32(at + 4, type);
  return at + BOX_HEADER;
}

function writeTraf(view: DataView, start: number, track: FragmentTrack, dataOffset: number): number {
  let at = header(view, start, trafSize(track), TRAF);
  at = header(view, at, TFHD_SIZE, TFHD);
  view.setUint32(at, TFHD_FLAGS);
  view.setUint32(at + 4, track.trackId);
  view.setUint32(at + 8, track.kind === 'audio' ? SYNC_SAMPLE : NON_SYNC_SAMPLE);
  at = header(view, at + 12, TFDT_SIZE, TFDT);
  view.setUint32(at, 0x01000000); // version 1: 64 bits
  // Unsigned in the file, and the timeline starts at 0; a source's stray earlier frame must not become a time in the far future.
  view.setBigUint64(at + 4, BigInt(Math.max(0, track.samples[0]?.dts ?? 0)));
  at = header(view, at + 12, trunSize(track), TRUN);
  view.setUint32(at, 0x01000000 | TRUN_FLAGS[track.kind]); // version 1: signed composition offsets
  view.setUint32(at + 4, track.samples.length);
  view.setInt32(at + 8, dataOffset);
  return writeSamples(view, at + 12, track);
}

function writeSamples(view: DataView, start: number, track: FragmentTrack): number {
  let at = start;
  for (let i = 0; i < track.samples.length; i++) {
    const sample = track.samples[i];
    if (sample === undefined) break;
    view.setUint32(at, track.durations[i] ?? 0);
    view.setUint32(at + 4, sample.payload.length);
    if (track.kind === 'video') {
      view.setUint32(at + 8, sample.isKeyframe ? SYNC_SAMPLE : NON_SYNC_SAMPLE);
      view.setInt32(at + 12, sample.pts - sample.dts);
    }
    at += SAMPLE_SIZE[track.kind];
  }
  return at;
}
