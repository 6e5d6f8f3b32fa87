import { unlink } from 'node:fs/promises';
import { FramesToMp4 } from '../../gateways/mod.ts';
import type { Frame, Track } from '../../media/mod.ts';
import { encodeRecording, type RecordingEnd, type RecordingRecord, recordedTrack } from '../../recording/mod.ts';
import { AppendFile, type OpenToAppend } from './append-file.ts';

/** Told by a file how it does. */
export interface RecordingFileListener {
  /** So much more of it is written; `isFirst`: there is media in it now. */
  written(bytes: number, isFirst: boolean): void;
  /** Nothing more can be written to it, but what was is there. Told at most once. */
  failed(code: RecordingEnd, message: string): void;
}

/** One file of a stream as it is written, and what the catalogue is to say of it. */
export class RecordingFile {
  private readonly path: string;
  private readonly mp4: FramesToMp4;
  private readonly file: AppendFile;
  /** Of each piece that waits: how long the file is behind it. */
  private readonly durationsMs: number[] = [0];
  private latest: RecordingRecord;
  private failure: RecordingEnd | undefined;

  constructor(path: string, record: RecordingRecord, tracks: readonly Track[], listener: RecordingFileListener, openFile?: OpenToAppend) {
    this.path = path;
    this.latest = { ...record, tracks: tracks.map(recordedTrack) };
    // So that the catalogue can be made anew of the files.
    this.mp4 = new FramesToMp4(tracks, encodeRecording(this.latest));
    this.file = new AppendFile(
      path,
      {
        written: (bytes, sizeBytes) => {
          const durationMs = this.durationsMs.shift() ?? 0;
          const isFirst = this.isEmpty && durationMs > 0;
          // A header alone is nothing yet.
          if (durationMs > 0) this.latest = { ...this.latest, durationMs, sizeBytes };
          listener.written(bytes, isFirst);
        },
        failed: (error) => {
          this.failure = error.code === 'ENOSPC' || error.code === 'EDQUOT' ? 'disk-full' : 'write-failed';
          listener.failed(this.failure, error.message);
        },
      },
      openFile,
    );
    this.file.append(this.mp4.header);
  }

  /** As far as it is written. */
  get record(): RecordingRecord {
    return this.latest;
  }

  /** Whether no media is written yet. */
  get isEmpty(): boolean {
    return this.latest.sizeBytes === 0;
  }

  get queuedBytes(): number {
    return this.file.queuedBytes;
  }

  append(frames: readonly Frame[], next: Frame | undefined): void {
    const bytes = this.mp4.fragment(frames, next);
    this.durationsMs.push(this.mp4.durationMs);
    this.file.append(bytes);
  }

  /** Settles when what is written by now outlasts the machine, too. */
  flush(): Promise<void> {
    return this.file.flush();
  }

  /** Ends it behind what was appended; settles with what became of it when it is closed. Of one without media no file is left. */
  async end(reason: RecordingEnd, droppedFrames: number, wallMs: () => number): Promise<RecordingRecord> {
    await this.file.close();
    if (this.isEmpty) await unlink(this.path).catch(() => undefined);
    this.latest = { ...this.latest, droppedFrames, end: this.failure ?? reason, endedAtMs: Math.round(wallMs()) };
    return this.latest;
  }
}
