import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeVersioned, utf8Encode } from '../core/mod.ts';
import { decodeRecording, encodeRecording, isRecordingId, type RecordingRecord, recordingId } from './recording-record.ts';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);

const RECORD: RecordingRecord = {
  v: 1,
  id: recordingId(1_795_000_000_000, '8a0d3c5e7f91'),
  app: 'live',
  stream: 'show',
  node: 'n1',
  startedAtMs: 1_795_000_000_000,
  durationMs: 4_001,
  sizeBytes: 454_100,
  droppedFrames: 3,
  tracks: [
    { kind: 'video', codec: 'h264', width: 640, height: 360 },
    { kind: 'audio', codec: 'aac', width: undefined, height: undefined },
  ],
  end: 'stream-ended',
  endedAtMs: 1_795_000_004_001,
  isDeleted: false,
};

describe('a record of the catalogue', () => {
  it('is read as it was written, ended or not', () => {
    expect(decodeRecording(encodeRecording(RECORD))).toEqual(RECORD);
    const open: RecordingRecord = { ...RECORD, end: undefined, endedAtMs: undefined, isDeleted: true };
    expect(decodeRecording(encodeRecording(open))).toEqual(open);
  });

  it.each([
    { id: '../../../etc/passwd' },
    { id: `${RECORD.id}/../x` },
    { id: RECORD.id.toUpperCase() },
    { id: '' },
    { app: '..' },
    { app: '../x' },
    { app: 'a/b' },
    { app: '' },
    { stream: '"\r\nx: y' },
    { stream: 7 },
    { node: undefined },
  ])('with %j is none: paths and headers are made of its names', (wrong) => {
    expect(decodeRecording(encodeVersioned({ ...RECORD, ...wrong } as unknown as { readonly v: 1 }))).toBeUndefined();
  });

  it('ends for no reason that is not known', () => {
    const odd = decodeRecording(
      encodeVersioned({ ...RECORD, end: 'toString', tracks: [{ kind: 'smell' }, 7] } as unknown as { readonly v: 1 }),
    );
    expect(odd).toMatchObject({ end: undefined, endedAtMs: undefined, tracks: [] });
  });

  it('has an id that grows backwards in time', () => {
    expect(recordingId(2_000, 'ffffffffffff') < recordingId(1_000, '000000000000')).toBe(true);
    expect(isRecordingId(RECORD.id)).toBe(true);
  });

  it('of any bytes is a record or none', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.uint8Array(), (value, bytes) => {
        decodeRecording(bytes);
        decodeRecording(utf8Encode(JSON.stringify({ ...RECORD, tracks: value, end: value, sizeBytes: value })));
      }),
      { numRuns: RUNS },
    );
  });
});
