import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type pino from 'pino';
import { isName } from '../../core/mod.ts';
import { decodeRecording, isRecordingId, type RecordingRecord } from '../../recording/mod.ts';
import type { RecordingCatalogue } from './recording-catalogue.ts';
import { repairFile } from './repair-file.ts';

export interface LeftBehindOptions {
  /** It is read. */
  readonly catalogue: RecordingCatalogue;
  /** Where the folders of the apps are. */
  readonly folder: string;
  readonly pathOf: (record: Pick<RecordingRecord, 'app' | 'id'>) => string;
  readonly nodeId: string;
  /** Files of this process, also those that it opens meanwhile. */
  readonly begun: ReadonlySet<string>;
  /** Told each recording that has ended by this. */
  readonly ended: (record: RecordingRecord) => void;
  readonly log: pino.Logger;
}

const FILE_ENDING = '.mp4';

/** Puts right what processes of this node before this one have left: ends what they were recording, and catalogues files of which the catalogue knows nothing. */
export async function settleLeftBehind(options: LeftBehindOptions): Promise<void> {
  await endOpen(options);
  for (const file of await filesUnder(options.folder)) {
    const { catalogue, begun, log } = options;
    if (catalogue.isFull || catalogue.knows(file.id) || begun.has(file.id)) continue;
    await takeIn(file, options).catch((error: Error) =>
      log.warn({ code: 'recording.uncatalogued', recording: file.id, detail: error.message }, 'a file could not be put into the catalogue'),
    );
  }
}

/** Ends the records that nobody writes any more. */
async function endOpen({ catalogue, begun, pathOf, ended, log }: LeftBehindOptions): Promise<void> {
  for (const record of catalogue.own()) {
    if (record.end !== undefined || record.isDeleted || begun.has(record.id)) continue;
    const { sizeBytes, durationMs } = await repairFile(pathOf(record)).catch(() => ({ sizeBytes: 0, durationMs: 0 }));
    log.info({ code: 'recording.repaired', recording: record.id, sizeBytes, durationMs }, 'ended a recording that was interrupted');
    const whole: RecordingRecord = { ...record, sizeBytes, durationMs, end: 'interrupted', endedAtMs: record.startedAtMs + durationMs };
    await catalogue.put(whole);
    ended(whole);
  }
}

interface FoundFile {
  readonly id: string;
  readonly app: string;
}

/** Takes in what the file says of itself; one without media is taken away, one that says nothing is left alone. */
async function takeIn({ id, app }: FoundFile, { catalogue, nodeId, pathOf, ended, log }: LeftBehindOptions): Promise<void> {
  const path = pathOf({ id, app });
  const { sizeBytes, durationMs, note } = await repairFile(path);
  const known = note === undefined ? undefined : decodeRecording(note);
  if (known?.id !== id) return;
  if (durationMs === 0) return unlink(path);
  const endedAtMs = known.startedAtMs + durationMs;
  const record: RecordingRecord = { ...known, app, node: nodeId, sizeBytes, durationMs, end: 'found', endedAtMs };
  await catalogue.adopt(record);
  log.info({ code: 'recording.found', recording: id, sizeBytes, durationMs }, 'catalogued a file that was found');
  ended(record);
}

/** The files of recordings, by what they are named. */
async function filesUnder(folder: string): Promise<readonly FoundFile[]> {
  const files: FoundFile[] = [];
  for (const app of await namesIn(folder)) {
    if (!isName(app)) continue;
    for (const name of await namesIn(join(folder, app))) {
      const id = name.slice(0, -FILE_ENDING.length);
      if (name.endsWith(FILE_ENDING) && isRecordingId(id)) files.push({ id, app });
    }
  }
  return files;
}

/** None of what is no folder, or cannot be read. */
const namesIn = (folder: string): Promise<readonly string[]> => readdir(folder).catch(() => []);
