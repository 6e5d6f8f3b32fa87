import { ByteReader } from '../../core/mod.ts';
import { boxesOf, find } from './box-reader.ts';

const FULL_BOX_HEADER = 4;
/** ISO/IEC 14496-12, 8.8.8: sample-duration, sample-size, sample-flags, sample-composition-time-offset. */
const TRUN_FIELDS = [0x100, 0x200, 0x400, 0x800];
const TRUN_DATA_OFFSET = 0x1;

/** Ticks a second of each track, by its position: of the content of a `moov` box as {@link writeInitSegment} makes it. Throws `ProtocolError` for what is none. */
export function trackTimescales(moov: Uint8Array): readonly number[] {
  return boxesOf(moov)
    .filter(({ type }) => type === 'trak')
    .map(({ body }) => {
      const header = find(find(body, 'mdia'), 'mdhd');
      // Version 0: behind the times of creation and modification.
      return new ByteReader(header.subarray(FULL_BOX_HEADER + 8)).u32();
    });
}

/** When the samples of a fragment end, in ms of the file's time: of the content of a `moof` box as {@link writeFragment} makes it. Throws `ProtocolError` for what is none. */
export function fragmentEndMs(moof: Uint8Array, timescales: readonly number[]): number {
  const ends = boxesOf(moof)
    .filter(({ type }) => type === 'traf')
    .map(({ body }) => {
      const trackId = new ByteReader(find(body, 'tfhd').subarray(FULL_BOX_HEADER)).u32();
      const start = new ByteReader(find(body, 'tfdt').subarray(FULL_BOX_HEADER)).u64();
      const timescale = timescales[trackId - 1] ?? 0;
      return timescale === 0 ? 0 : ((start + durationOf(find(body, 'trun'))) * 1000) / timescale;
    });
  return Math.max(0, ...ends);
}

function durationOf(trun: Uint8Array): number {
  const reader = new ByteReader(trun);
  const flags = reader.u32() & 0xffffff;
  const count = reader.u32();
  if ((flags & TRUN_DATA_OFFSET) !== 0) reader.skip(4);
  const [hasDuration, ...others] = TRUN_FIELDS.map((field) => (flags & field) !== 0);
  const skipped = 4 * others.filter(Boolean).length;
  let ticks = 0;
  for (let sample = 0; hasDuration === true && sample < count; sample++) {
    ticks += reader.u32();
    reader.skip(skipped);
  }
  return ticks;
}
