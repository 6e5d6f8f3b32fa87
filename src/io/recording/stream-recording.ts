import { randomBytes } from 'node:crypto';
import type pino from 'pino';
import type { LiveStream, Sink } from '../../hub/mod.ts';
import type { Frame, Track } from '../../media/mod.ts';
import {
  isFailure,
  RECORDING_ENDS,
  Recorder,
  type RecordingEnd,
  type RecordingRecord,
  type RecordingState,
  recordingId,
} from '../../recording/mod.ts';
import type { Clock } from '../clock.ts';
import type { OpenToAppend } from './append-file.ts';
import { RecordingFile } from './recording-file.ts';

export interface StreamRecordingOptions {
  readonly nodeId: string;
  readonly pathOf: (record: Pick<RecordingRecord, 'app' | 'id'>) => string;
  readonly fileMsMax: () => number;
  /** A file is opened: of a recording, once there is media in it. */
  readonly opened: (id: string) => void;
  /** A recording begins, or has ended. */
  readonly changed: (record: RecordingRecord) => void;
  /** So much more is written. */
  readonly wrote: (bytes: number) => void;
  readonly openFile?: OpenToAppend | undefined;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

/** What may wait for the disk of one stream. */
const QUEUE_BYTES_MAX = 16 * 1024 * 1024;
/** A stream whose file could not be written is tried again after so long. */
const RETRY_MS = 30_000;

/** Records one stream, file after file, until it is stopped. Nobody waits for what the disk does: see {@link Recorder}. */
export class StreamRecording implements Sink {
  readonly stream: LiveStream;
  private readonly options: StreamRecordingOptions;
  private readonly recorder: Recorder;
  private readonly detach: () => void;
  private open: RecordingFile | undefined;
  private readonly closing = new Map<RecordingFile, Promise<void>>();
  /** Why the last file failed, until another one does not. */
  private failure: RecordingEnd | undefined;
  private retryAt = 0;
  private hasStopped = false;

  constructor(stream: LiveStream, options: StreamRecordingOptions) {
    this.stream = stream;
    this.options = options;
    this.recorder = new Recorder(
      {
        begin: (tracks) => this.begin(tracks),
        fragment: (frames, next) => {
          this.open?.append(frames, next);
          this.noteBacklog();
        },
        end: (reason) => this.close(reason),
      },
      { fileMsMax: options.fileMsMax, queueBytesMax: QUEUE_BYTES_MAX },
    );
    this.detach = stream.attach(this);
  }

  /** Whether a file is open, and what comes goes into it. */
  get isRecording(): boolean {
    return this.open !== undefined && this.stream.state === 'live';
  }

  get state(): RecordingState {
    return this.failure ?? (this.isRecording ? 'recording' : 'waiting');
  }

  /** What is being recorded, as far as it is written; undefined: nothing is yet. */
  get record(): RecordingRecord | undefined {
    const { open } = this;
    return open === undefined || open.isEmpty ? undefined : { ...open.record, droppedFrames: this.recorder.droppedFrames };
  }

  tracks(): void {
    // Each frame's segment has those that are in force.
  }

  frame(frame: Frame): void {
    if (this.open === undefined && this.options.clock.monotonic() < this.retryAt) return;
    this.recorder.frame(frame);
  }

  paused(): void {
    this.recorder.paused();
  }

  ended(): void {
    this.stop('stream-ended');
  }

  /** Settles when what is written by now of the open file outlasts the machine, too. */
  async flush(): Promise<void> {
    await this.open?.flush();
  }

  /** Ends the open file alone: the next keyframe begins another one. */
  endFile(reason: RecordingEnd): void {
    this.recorder.end(reason);
  }

  /** Records nothing more. */
  stop(reason: RecordingEnd): void {
    if (this.hasStopped) return;
    this.hasStopped = true;
    this.recorder.end(reason);
    this.detach();
  }

  /** Settles when all files that have ended are closed. */
  async closed(): Promise<void> {
    while (this.closing.size > 0) await Promise.all(this.closing.values());
  }

  private begin(tracks: readonly Track[]): void {
    const { clock, nodeId, pathOf, openFile, opened } = this.options;
    const { app, name } = this.stream.ref;
    const startedAtMs = Math.round(clock.wall());
    const id = recordingId(startedAtMs, randomBytes(6).toString('hex'));
    opened(id);
    const record: RecordingRecord = { ...NEW_RECORD, id, app, stream: name, node: nodeId, startedAtMs };
    const file: RecordingFile = new RecordingFile(
      pathOf(record),
      record,
      tracks,
      { written: (bytes, isFirst) => this.written(file, bytes, isFirst), failed: (code, message) => this.failed(file, code, message) },
      openFile,
    );
    this.open = file;
  }

  private written(file: RecordingFile, bytes: number, isFirst: boolean): void {
    this.noteBacklog();
    this.options.wrote(bytes);
    if (!isFirst) return;
    this.failure = undefined;
    const { id } = file.record;
    this.options.log.info({ code: 'recording.started', recording: id, stream: this.stream.ref.path }, 'recording');
    this.options.changed(file.record);
  }

  private failed(file: RecordingFile, code: RecordingEnd, message: string): void {
    const { clock, log } = this.options;
    this.retryAt = clock.monotonic() + RETRY_MS;
    log.warn({ code: `recording.${code}`, recording: file.record.id, stream: this.stream.ref.path, detail: message }, RECORDING_ENDS[code]);
    if (this.open === file) this.recorder.drop(code);
  }

  private close(reason: RecordingEnd): void {
    const file = this.open;
    if (file === undefined) return;
    this.open = undefined;
    const { clock, changed, log } = this.options;
    const closing = file
      .end(reason, this.recorder.droppedFrames, () => clock.wall())
      .then((record) => {
        this.closing.delete(file);
        const end = record.end as RecordingEnd;
        const isNews = isFailure(end) && this.failure === undefined;
        if (isFailure(end)) this.failure = end;
        // Of a disk that stays full, the first time is enough.
        if (file.isEmpty && !isNews) return;
        log.info({ code: 'recording.ended', recording: record.id, stream: this.stream.ref.path, reason: end }, RECORDING_ENDS[end]);
        changed(record);
      });
    this.closing.set(file, closing);
  }

  private noteBacklog(): void {
    let bytes = this.open?.queuedBytes ?? 0;
    for (const file of this.closing.keys()) bytes += file.queuedBytes;
    this.recorder.backlog(bytes);
  }
}

const NEW_RECORD = {
  v: 1,
  durationMs: 0,
  sizeBytes: 0,
  droppedFrames: 0,
  tracks: [],
  end: undefined,
  endedAtMs: undefined,
  isDeleted: false,
} as const;
