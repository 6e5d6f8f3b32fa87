import { decodeVersioned, encodeVersioned, isName, readAmount, readCount, readText, type UnknownFields } from '../core/mod.ts';
import type { Track } from '../media/mod.ts';
import { type RecordingEnd, readRecordingEnd } from './recording-end.ts';

/** A track as the catalogue has it. */
export interface RecordedTrack {
  readonly kind: 'video' | 'audio';
  readonly codec: string;
  /** Of video. */
  readonly width: number | undefined;
  readonly height: number | undefined;
}

/** What the store keeps of a recording, under `recordings/ID`. The file is on `node`. */
export interface RecordingRecord {
  readonly v: 1;
  /** Made by {@link recordingId}: also the file's name. */
  readonly id: string;
  readonly app: string;
  /** The stream's name in its app. */
  readonly stream: string;
  readonly node: string;
  readonly startedAtMs: number;
  /** Of what is written. */
  readonly durationMs: number;
  readonly sizeBytes: number;
  /** Left out as the disk was slow, each time up to a keyframe. */
  readonly droppedFrames: number;
  readonly tracks: readonly RecordedTrack[];
  /** Undefined: it is being recorded. */
  readonly end: RecordingEnd | undefined;
  readonly endedAtMs: number | undefined;
  /** Somebody deleted it: it is there for its node alone, which takes the file away. */
  readonly isDeleted: boolean;
}

export const RECORDINGS_PREFIX = 'recordings/';
export const recordingKey = (id: string): string => `${RECORDINGS_PREFIX}${id}`;
/** In a whole cluster: each node has all records in memory. */
export const RECORDINGS_MAX = 50_000;

/** Ids grow backwards in time, so that the newest comes first: until the year 5138. */
const TIME_MAX = 99_999_999_999_999;
const ID = /^[0-9]{14}-[0-9a-f]{12}$/;
const TRACKS_MAX = 64;

/** `random`: twelve hexadecimal digits. */
export const recordingId = (startedAtMs: number, random: string): string =>
  `${String(TIME_MAX - Math.round(startedAtMs)).padStart(14, '0')}-${random}`;

/** Whether a text can be a recording's id, and with that a file's name. */
export const isRecordingId = (text: string): boolean => ID.test(text);

export const recordedTrack = (track: Track): RecordedTrack => ({
  kind: track.kind,
  codec: track.codec,
  width: track.kind === 'video' ? track.width : undefined,
  height: track.kind === 'video' ? track.height : undefined,
});

export const encodeRecording = (record: RecordingRecord): Uint8Array => encodeVersioned(record);

/** Reads borrowed bytes; undefined for what is no recording. Names are such that a path can be made of them. */
export function decodeRecording(bytes: Uint8Array): RecordingRecord | undefined {
  const fields = decodeVersioned(bytes);
  const text = (name: string): string => readText(fields?.[name], 64) ?? '';
  const [id, app, stream, node] = [text('id'), text('app'), text('stream'), text('node')];
  if (fields === undefined || !isRecordingId(id) || ![app, stream, node].every(isName)) return undefined;
  const end = readRecordingEnd(fields['end']);
  return {
    v: 1,
    id,
    app,
    stream,
    node,
    startedAtMs: readAmount(fields['startedAtMs']) ?? 0,
    durationMs: readAmount(fields['durationMs']) ?? 0,
    sizeBytes: readCount(fields['sizeBytes']) ?? 0,
    droppedFrames: readCount(fields['droppedFrames']) ?? 0,
    tracks: readTracks(fields['tracks']),
    end,
    endedAtMs: end === undefined ? undefined : readAmount(fields['endedAtMs']),
    isDeleted: fields['isDeleted'] === true,
  };
}

function readTracks(value: unknown): readonly RecordedTrack[] {
  const rows: readonly unknown[] = Array.isArray(value) ? value.slice(0, TRACKS_MAX) : [];
  return rows.flatMap((row): RecordedTrack[] => {
    const { kind, codec, width, height } = (typeof row === 'object' && row !== null ? row : {}) as UnknownFields;
    const name = readText(codec, 16);
    if ((kind !== 'video' && kind !== 'audio') || name === undefined) return [];
    return [{ kind, codec: name, width: readCount(width), height: readCount(height) }];
  });
}
