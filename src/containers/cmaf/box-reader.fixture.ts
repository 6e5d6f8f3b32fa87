import { ByteReader } from '../../core/mod.ts';

/** A box as read back by tests: `body` is everything behind the header, `children` is filled for containers. */
export interface ReadBox {
  readonly type: string;
  readonly size: number;
  readonly offset: number;
  readonly body: Uint8Array;
  readonly children: readonly ReadBox[];
}

/** Bytes of a container's body before its first child. */
const CONTAINERS: ReadonlyMap<string, number> = new Map([
  ['moov', 0],
  ['trak', 0],
  ['mdia', 0],
  ['minf', 0],
  ['stbl', 0],
  ['dinf', 0],
  ['mvex', 0],
  ['moof', 0],
  ['traf', 0],
  ['stsd', 8],
  ['dref', 8],
  ['avc1', 78],
  ['hvc1', 78],
  ['av01', 78],
  ['vp08', 78],
  ['vp09', 78],
  ['mp4a', 28],
  ['Opus', 28],
]);

export function readBoxes(bytes: Uint8Array, base = 0): ReadBox[] {
  const reader = new ByteReader(bytes);
  const boxes: ReadBox[] = [];
  while (reader.remaining > 0) {
    const offset = base + reader.offset;
    const size = reader.u32();
    const type = String.fromCharCode(...reader.slice(4));
    const body = reader.slice(size - 8);
    const skip = CONTAINERS.get(type);
    boxes.push({ type, size, offset, body, children: skip === undefined ? [] : readBoxes(body.subarray(skip), offset + 8 + skip) });
  }
  return boxes;
}

/** The first box at a path such as `moov/trak/mdia`. */
export function findBox(boxes: readonly ReadBox[], path: string): ReadBox {
  let level = boxes;
  let found: ReadBox | undefined;
  for (const type of path.split('/')) {
    found = level.find((candidate) => candidate.type === type);
    if (found === undefined) throw new Error(`no box ${type} of ${path}`);
    level = found.children;
  }
  if (found === undefined) throw new Error('empty path');
  return found;
}

export interface ReadSample {
  readonly dts: number;
  readonly pts: number;
  readonly duration: number;
  readonly flags: number;
  readonly payload: Uint8Array;
}

/** The samples of each track of one fragment as written by `writeFragment`, read by the flags in the boxes. */
export function readFragment(bytes: Uint8Array): Map<number, ReadSample[]> {
  const moof = findBox(readBoxes(bytes), 'moof');
  const tracks = new Map<number, ReadSample[]>();
  for (const traf of moof.children.filter((child) => child.type === 'traf')) {
    const tfhd = new ByteReader(findBox(traf.children, 'tfhd').body);
    tfhd.skip(4);
    const trackId = tfhd.u32();
    const defaultFlags = tfhd.u32();
    const tfdt = new ByteReader(findBox(traf.children, 'tfdt').body);
    tfdt.skip(4);
    let dts = tfdt.u64();
    const trun = new ByteReader(findBox(traf.children, 'trun').body);
    const flags = trun.u32() & 0xffffff;
    const count = trun.u32();
    let at = trun.u32() + moof.offset;
    const samples: ReadSample[] = [];
    for (let i = 0; i < count; i++) {
      const duration = trun.u32();
      const size = trun.u32();
      const sampleFlags = flags & 0x400 ? trun.u32() : defaultFlags;
      const offset = flags & 0x800 ? trun.i32() : 0;
      samples.push({ dts, pts: dts + offset, duration, flags: sampleFlags, payload: bytes.subarray(at, at + size) });
      dts += duration;
      at += size;
    }
    tracks.set(trackId, samples);
  }
  return tracks;
}
