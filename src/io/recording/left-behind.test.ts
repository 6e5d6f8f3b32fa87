import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { MemoryEngine } from '../../cluster/memory-engine.fixture.ts';
import { FrameSource, VIDEO } from '../../gateways/hls-frames.fixture.ts';
import { FramesToMp4 } from '../../gateways/mod.ts';
import { encodeRecording, type RecordingRecord, recordingId, recordingKey } from '../../recording/mod.ts';
import { settleLeftBehind } from './left-behind.ts';
import { RecordingCatalogue } from './recording-catalogue.ts';

const log = pino({ level: 'silent' });
let engine: MemoryEngine;
let folder: string;
let catalogue: RecordingCatalogue;
let ended: RecordingRecord[];

beforeEach(async () => {
  engine = new MemoryEngine();
  folder = mkdtempSync(join(tmpdir(), 'sluice-left-behind-'));
  ended = [];
  catalogue = new RecordingCatalogue({ store: engine.client().store, nodeId: 'n1', deleted: () => undefined, log });
  await until(() => expect(catalogue.isRead).toBe(true));
});
afterEach(() => {
  catalogue.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Lets the store work. */
const until = (check: () => void): Promise<void> =>
  vi.waitFor(
    () => {
      engine.advance(5);
      check();
    },
    { timeout: 15_000, interval: 1 },
  );

const NEW: RecordingRecord = {
  v: 1,
  id: recordingId(1_795_000_000_000, '8a0d3c5e7f91'),
  app: 'live',
  stream: 'show',
  node: 'lone',
  startedAtMs: 1_795_000_000_000,
  durationMs: 0,
  sizeBytes: 0,
  droppedFrames: 0,
  tracks: [{ kind: 'video', codec: 'h264', width: 640, height: 360 }],
  end: undefined,
  endedAtMs: undefined,
  isDeleted: false,
};
const pathOf = ({ app, id }: Pick<RecordingRecord, 'app' | 'id'>): string => join(folder, app, `${id}.mp4`);

/** A file as a process has left it: with so many seconds, and then what was torn. */
function leave(record: RecordingRecord, { seconds = 4, note = true }: { seconds?: number; note?: boolean } = {}): number {
  const frames = new FrameSource().add({ seconds }).filter(({ track }) => track === VIDEO);
  const mp4 = new FramesToMp4([VIDEO], note ? encodeRecording(record) : undefined);
  const whole = Buffer.concat([mp4.header, ...(seconds === 0 ? [] : [mp4.fragment(frames, undefined)])]);
  mkdirSync(join(folder, record.app), { recursive: true });
  writeFileSync(pathOf(record), Buffer.concat([whole, whole.subarray(0, 40)]));
  return whole.length;
}

const settle = async (begun: readonly string[] = []): Promise<void> => {
  let isDone = false;
  const settled = settleLeftBehind({
    catalogue,
    folder,
    pathOf,
    nodeId: 'n1',
    begun: new Set(begun),
    ended: (record) => ended.push(record),
    log,
  }).finally(() => {
    isDone = true;
  });
  await until(() => expect(isDone).toBe(true));
  await settled;
};

it('a file of which the catalogue knows nothing is taken in as what it says of itself', async () => {
  const sizeBytes = leave(NEW);
  await settle();
  await until(() => expect([...catalogue.all()]).toHaveLength(1));
  const [record] = catalogue.all();
  expect(record).toMatchObject({
    ...NEW,
    node: 'n1',
    sizeBytes,
    durationMs: expect.any(Number),
    end: 'found',
    endedAtMs: expect.any(Number),
  });
  expect(Math.abs((record?.durationMs ?? 0) - 4_000)).toBeLessThan(100);
  expect(record?.endedAtMs).toBe(NEW.startedAtMs + (record?.durationMs ?? 0));
  expect(statSync(pathOf(NEW)).size).toBe(sizeBytes);
  expect(ended).toEqual([record]);
  // And not once more.
  await settle();
  expect(ended).toHaveLength(1);
});

it('a file that this process writes is left to it', async () => {
  leave(NEW);
  const { size } = statSync(pathOf(NEW));
  await settle([NEW.id]);
  expect([statSync(pathOf(NEW)).size, [...catalogue.all()], ended]).toEqual([size, [], []]);
});

it('a file without media is taken away, and one that says nothing of itself, or is of others, is left', async () => {
  const other = { ...NEW, id: recordingId(1_795_000_000_001, '8a0d3c5e7f91') };
  leave(NEW, { seconds: 0 });
  leave(other, { note: false });
  for (const name of ['notes.txt', '../etc.mp4', 'video.mp4']) writeFileSync(join(folder, 'live', name), 'mine');
  mkdirSync(join(folder, 'live', `${recordingId(3_000, 'ffffffffffff')}.mp4`));
  await settle();
  expect([existsSync(pathOf(NEW)), existsSync(pathOf(other)), existsSync(join(folder, 'live', 'video.mp4'))]).toEqual([false, true, true]);
  expect([[...catalogue.all()], ended]).toEqual([[], []]);
});

it('what was recorded when the process died has ended, also without its file', async () => {
  const gone = { ...NEW, id: recordingId(1_795_000_000_002, '8a0d3c5e7f91'), node: 'n1' };
  const there = { ...NEW, node: 'n1' };
  const elsewhere = { ...NEW, id: recordingId(1_795_000_000_003, '8a0d3c5e7f91'), node: 'n2' };
  const { store } = engine.client();
  for (const record of [gone, there, elsewhere]) store.create(recordingKey(record.id), encodeRecording(record), () => undefined);
  await until(() => expect([...catalogue.all()]).toHaveLength(3));
  const sizeBytes = leave(there);
  await settle();
  await until(() => expect(catalogue.get(there.id)).toMatchObject({ end: 'interrupted', sizeBytes }));
  expect(catalogue.get(gone.id)).toMatchObject({ end: 'interrupted', sizeBytes: 0, durationMs: 0 });
  expect(catalogue.get(elsewhere.id)?.end).toBeUndefined();
  expect(ended.map(({ id }) => id).sort()).toEqual([gone.id, there.id].sort());
});
