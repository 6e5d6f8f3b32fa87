import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type pino from 'pino';
import type { RecordingSettings } from '../../access/mod.ts';
import type { Store } from '../../cluster/mod.ts';
import type { StreamRef } from '../../core/mod.ts';
import type { Hub, LiveStream } from '../../hub/mod.ts';
import { isFailure, type RecordingEnd, type RecordingRecord, type RecordingState } from '../../recording/mod.ts';
import { atMost } from '../at-most.ts';
import type { Clock } from '../clock.ts';
import type { OpenToAppend } from './append-file.ts';
import { settleLeftBehind } from './left-behind.ts';
import { RecordingCatalogue } from './recording-catalogue.ts';
import { StreamRecording } from './stream-recording.ts';

export interface RecordingsOptions {
  readonly hub: Pick<Hub, 'streams'>;
  readonly store: Store;
  readonly nodeId: string;
  readonly dataFolder: string;
  readonly settingsOf: (app: string) => RecordingSettings;
  /** Whether the app has used the recording minutes that it may have this month. */
  readonly isExhausted: (app: string) => boolean;
  /** Whether a publisher of this node waits for the place of the stream's origin, which records it. */
  readonly standsBy: (path: string) => boolean;
  /** Told of each recording of this node that begins, and then once more when it has ended. One that fails before there is anything in it only ends. */
  readonly told: (record: RecordingRecord) => void;
  /** Another way to a file, for tests of disks that fail. */
  readonly openFile?: OpenToAppend;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

const FOLDER = 'recordings';
const LOOK_MS = 1_000;
/** How often open files are brought to the disk: so much is lost with a machine. */
const FLUSH_MS = 5_000;
/** How often the catalogue is told how long the open recordings are. */
const PROGRESS_MS = 15_000;
/** How often what is too old is deleted, and what the store did not take is written. */
const UPKEEP_MS = 60_000;
/** A disk that hangs must not hold up the end of the process. */
const CLOSE_MS_MAX = 3_000;
/** So many that have stopped may wait for the disk: when it hangs, what begins meanwhile is recorded once it does not. */
const UNCLOSED_MAX = 64;
const DAY_MS = 86_400_000;

/** Records the streams whose publishers are at this node, as their apps say, and looks after the files. */
export class Recordings {
  readonly catalogue: RecordingCatalogue;
  private readonly options: RecordingsOptions;
  private readonly running = new Map<string, StreamRecording>();
  /** With those that have stopped, until their files are closed. */
  private readonly unclosed = new Set<StreamRecording>();
  private readonly removing = new Set<string>();
  /** Files of this process; undefined: what processes before it have left is put right. */
  private begun: Set<string> | undefined = new Set();
  private readonly counts = { ended: 0, failures: 0, bytes: 0 };
  private readonly dueAt = new Map<string, number>();
  private readonly busyWith = new Set<string>();
  private ticker: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(options: RecordingsOptions) {
    const { store, nodeId, log } = options;
    this.options = options;
    this.catalogue = new RecordingCatalogue({ store, nodeId, deleted: (record) => void this.remove(record), log });
  }

  start(): void {
    this.ticker = setInterval(() => this.tick(), LOOK_MS);
  }

  /** Looks at all streams; to be called each second. */
  tick(): void {
    for (const stream of this.options.hub.streams()) this.look(stream);
    const { begun } = this;
    if (begun !== undefined && this.catalogue.isRead) this.chore('settle', 0, () => this.settle(begun));
    this.chore('flush', FLUSH_MS, () => this.flush());
    this.chore('progress', PROGRESS_MS, () => this.noteProgress());
    this.chore('upkeep', UPKEEP_MS, () => this.upkeep());
  }

  /** Ends all recordings, and writes what became of them as far as disk and store take it soon. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearInterval(this.ticker);
    for (const recording of this.running.values()) recording.stop('server-stopped');
    this.running.clear();
    await atMost(
      CLOSE_MS_MAX,
      Promise.all([...this.unclosed].map((recording) => recording.closed())).then(() => this.catalogue.writeLate()),
    );
    this.catalogue.close();
  }

  streamStarted(stream: LiveStream): void {
    this.look(stream);
  }

  /** Its publisher may be at another node now, or here. */
  streamChanged(stream: LiveStream): void {
    this.look(stream);
  }

  streamEnded({ path }: StreamRef): void {
    const recording = this.running.get(path);
    this.running.delete(path);
    if (recording !== undefined) this.closeLater(recording);
  }

  /** How many streams are being recorded here, by app. */
  byApp(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { stream, isRecording } of this.running.values())
      if (isRecording) counts.set(stream.ref.app, (counts.get(stream.ref.app) ?? 0) + 1);
    return counts;
  }

  /** How each stream stands that its app wants recorded, by path. */
  states(): ReadonlyMap<string, RecordingState> {
    const states = new Map<string, RecordingState>();
    for (const stream of this.options.hub.streams()) {
      const why = this.whyNot(stream);
      if (why === 'switched-off' || why === 'moved') continue;
      states.set(stream.ref.path, why ?? this.running.get(stream.ref.path)?.state ?? 'waiting');
    }
    return states;
  }

  /** Streams that are being recorded now; since the start: recordings that have ended, of those the ones that failed, and bytes written. */
  stats(): { readonly running: number; readonly ended: number; readonly failures: number; readonly bytes: number } {
    return { ...this.counts, running: [...this.running.values()].filter(({ isRecording }) => isRecording).length };
  }

  /** A recording as it is now, also while it is written; undefined: there is none. */
  find(id: string): RecordingRecord | undefined {
    const known = this.catalogue.get(id);
    return known === undefined ? undefined : this.asOpen(known);
  }

  *all(): Iterable<RecordingRecord> {
    for (const record of this.catalogue.all()) yield this.asOpen(record);
  }

  /** Where a file of this node is. */
  readonly pathOf = ({ app, id }: Pick<RecordingRecord, 'app' | 'id'>): string => join(this.options.dataFolder, FOLDER, app, `${id}.mp4`);

  private asOpen(record: RecordingRecord): RecordingRecord {
    const open = this.running.get(`${record.app}/${record.stream}`)?.record;
    return open?.id === record.id ? open : record;
  }

  private look(stream: LiveStream): void {
    if (this.isClosed) return;
    const { path } = stream.ref;
    const known = this.running.get(path);
    const why = this.whyNot(stream);
    if (known === undefined && why === undefined && this.unclosed.size - this.running.size < UNCLOSED_MAX) this.begin(stream);
    if (known === undefined || why === undefined) return;
    this.running.delete(path);
    known.stop(why);
    this.closeLater(known);
  }

  private whyNot({ ref: { app, path }, publisher }: LiveStream): RecordingEnd | undefined {
    if (this.options.settingsOf(app).mode === 'off') return 'switched-off';
    if (publisher.protocol === 'relay' || this.options.standsBy(path)) return 'moved';
    if (this.options.isExhausted(app)) return 'limit-recording-minutes';
    return this.catalogue.isFull ? 'catalogue-full' : undefined;
  }

  private begin(stream: LiveStream): void {
    const { nodeId, settingsOf, openFile, clock, log } = this.options;
    const { app, path } = stream.ref;
    const recording = new StreamRecording(stream, {
      nodeId,
      pathOf: this.pathOf,
      fileMsMax: () => settingsOf(app).fileMinutes * 60_000,
      opened: (id) => this.begun?.add(id),
      changed: (record) => this.changed(record),
      wrote: (bytes) => {
        this.counts.bytes += bytes;
      },
      openFile,
      clock,
      log,
    });
    this.running.set(path, recording);
    this.unclosed.add(recording);
  }

  private changed(record: RecordingRecord): void {
    if (record.end !== undefined) {
      this.counts.ended++;
      if (isFailure(record.end)) this.counts.failures++;
    }
    void this.catalogue.put(record);
    this.options.told(record);
  }

  /** Begins what is due, unless it is being done still. */
  private chore(name: string, everyMs: number, work: () => Promise<void>): void {
    const now = this.options.clock.monotonic();
    if (now < (this.dueAt.get(name) ?? 0) || this.busyWith.has(name)) return;
    this.dueAt.set(name, now + everyMs);
    this.busyWith.add(name);
    void work().finally(() => this.busyWith.delete(name));
  }

  /** One file after the other: a disk that is slow is asked less often, and takes up no more than one of the process's threads. */
  private async flush(): Promise<void> {
    for (const recording of [...this.running.values()]) await recording.flush();
  }

  private async noteProgress(): Promise<void> {
    for (const { record } of [...this.running.values()]) if (record !== undefined) await this.catalogue.put(record);
  }

  private closeLater(recording: StreamRecording): void {
    void recording.closed().then(() => this.unclosed.delete(recording));
  }

  /** Puts right what processes before this one have left. */
  private async settle(begun: ReadonlySet<string>): Promise<void> {
    const { dataFolder, nodeId, log, told } = this.options;
    const folder = join(dataFolder, FOLDER);
    await settleLeftBehind({ catalogue: this.catalogue, folder, pathOf: this.pathOf, nodeId, begun, ended: told, log });
    this.begun = undefined;
  }

  private async upkeep(): Promise<void> {
    const { settingsOf, clock } = this.options;
    await this.catalogue.writeLate();
    for (const record of this.catalogue.own()) {
      const { keepDays } = settingsOf(record.app);
      const isTooOld = keepDays > 0 && record.endedAtMs !== undefined && clock.wall() - record.endedAtMs > keepDays * DAY_MS;
      if (record.isDeleted || isTooOld) await this.remove(record);
    }
  }

  /** Takes a file away, then its record. What cannot be done now is tried again with the next upkeep. */
  private async remove(record: RecordingRecord): Promise<void> {
    const { id, app, stream } = record;
    if (this.removing.has(id) || this.isClosed) return;
    this.removing.add(id);
    try {
      const open = this.running.get(`${app}/${stream}`);
      if (open?.record?.id === id) open.endFile('deleted');
      for (const recording of this.unclosed) if (recording.stream.ref.path === `${app}/${stream}`) await recording.closed();
      await unlink(this.pathOf(record)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
      await this.catalogue.forget(id);
      this.options.log.info({ code: 'recording.deleted', recording: id, stream: `${app}/${stream}` }, 'deleted a recording');
    } catch (error) {
      this.options.log.warn(
        { code: 'recording.undeleted', recording: id, detail: (error as Error).message },
        'a recording could not be deleted yet',
      );
    } finally {
      this.removing.delete(id);
    }
  }
}
