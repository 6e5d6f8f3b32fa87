import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RecordingSettings } from '../../access/mod.ts';
import { RecordingLinks } from '../../api/mod.ts';
import { MemoryEngine } from '../../cluster/memory-engine.fixture.ts';
import { readBoxes } from '../../containers/cmaf/box-reader.fixture.ts';
import { durationMs, monotonicMs, sizeBytes, streamRef } from '../../core/mod.ts';
import { Hub, type Publication } from '../../hub/mod.ts';
import type { SourceFrame } from '../../media/mod.ts';
import { feed } from '../../media/source-frames.fixture.ts';
import { decodeRecording, type RecordingRecord } from '../../recording/mod.ts';
import { type OpenToAppend, openToAppend } from './append-file.ts';
import { RecordingAnswers } from './recording-answers.ts';
import { Recordings } from './recordings.ts';

const SHOW = streamRef('live', 'show');

let engine: MemoryEngine;
let folder: string;
let nodes: RecordingNode[];

beforeEach(() => {
  engine = new MemoryEngine();
  folder = mkdtempSync(join(tmpdir(), 'sluice-recordings-'));
  nodes = [];
});
afterEach(async () => {
  for (const node of nodes) await whileItRuns(node.recordings.close());
  rmSync(folder, { recursive: true, force: true });
});

/** A node with a hub, and disks that do as a test wants. */
class RecordingNode {
  readonly client = engine.client();
  settings: RecordingSettings = { mode: 'always', fileMinutes: 60, keepDays: 0 };
  isExhausted = false;
  isStandby = false;
  /** The code that writing fails with. */
  failure: string | undefined;
  /** Resolved by a test: until then nothing is written. */
  slow: Promise<void> | undefined;
  readonly hub: Hub;
  readonly recordings: Recordings;
  readonly told: RecordingRecord[] = [];
  flushes = 0;
  readonly api: RecordingAnswers;
  private fedMs = 0;
  private publication: Publication | undefined;

  constructor(id = 'n1') {
    const ignore = (): void => undefined;
    this.hub = new Hub(
      {
        streamStarted: () => this.recordings.streamStarted(this.stream),
        streamHeld: () => this.recordings.streamChanged(this.stream),
        streamResumed: () => this.recordings.streamChanged(this.stream),
        streamEnded: (ref) => this.recordings.streamEnded(ref),
        renditionsChanged: ignore,
        sinkFailed: (_ref, error) => {
          throw error;
        },
      },
      {
        holdMs: durationMs(10_000),
        segmentTargetMs: durationMs(2_000),
        partTargetMs: durationMs(500),
        streamsMax: 10,
        gopCacheBytesMax: sizeBytes(1_000_000),
        tracksMax: 4,
      },
    );
    this.recordings = new Recordings({
      hub: this.hub,
      store: this.client.store,
      nodeId: id,
      dataFolder: folder,
      settingsOf: () => this.settings,
      isExhausted: () => this.isExhausted,
      standsBy: () => this.isStandby,
      told: (record) => this.told.push(record),
      openFile: this.open,
      clock: this.client.clock,
      log: pino({ level: 'silent' }),
    });
    const links = new RecordingLinks({ secrets: () => [], wall: () => 0 });
    this.api = new RecordingAnswers(this.recordings, id, () => undefined, links);
    nodes.push(this);
  }

  get stream() {
    const stream = this.hub.stream(SHOW.path);
    if (stream === undefined) throw new Error('there is no stream');
    return stream;
  }

  get records(): readonly RecordingRecord[] {
    return [...this.api.all()].sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  publish(): void {
    const { clock } = this.client;
    this.publication = this.hub.publish(
      SHOW,
      { protocol: 'rtmp', address: '', agent: '' },
      { evicted: () => undefined },
      'reject',
      clock.monotonic(),
      clock.wall(),
    ) as Publication;
  }

  /** So much of the stream comes, in no time. */
  feed(seconds: number, pictureBytes = 100): void {
    const { clock } = this.client;
    const write = (frame: SourceFrame): void => {
      const payload = frame.track.kind === 'video' ? new Uint8Array(pictureBytes) : frame.payload;
      this.publication?.write({ ...frame, payload }, monotonicMs(this.fedMs), clock.wall());
    };
    feed({ write }, { fromMs: this.fedMs, untilMs: this.fedMs + seconds * 1_000 });
    this.fedMs += seconds * 1_000;
  }

  finish(): void {
    this.publication?.finish(this.client.clock.monotonic());
  }

  private readonly open: OpenToAppend = async (path) => {
    const handle = await openToAppend(path);
    return {
      appendFile: async (bytes) => {
        await this.slow;
        if (this.failure !== undefined) {
          await handle.appendFile((bytes as Uint8Array).subarray(0, 3));
          throw Object.assign(new Error(this.failure), { code: this.failure });
        }
        await handle.appendFile(bytes);
      },
      truncate: (size) => handle.truncate(size),
      datasync: () => {
        this.flushes++;
        return handle.datasync();
      },
      close: () => handle.close(),
    };
  };
}

/** Lets the store and the disk work. */
const turn = async (): Promise<void> => {
  engine.advance(5);
  await new Promise((resolve) => setImmediate(resolve));
};
async function whileItRuns(work: Promise<void>): Promise<void> {
  let isDone = false;
  void work.finally(() => {
    isDone = true;
  });
  while (!isDone) await turn();
  await work;
}
const until = (check: () => void): Promise<void> =>
  vi.waitFor(
    async () => {
      await turn();
      check();
    },
    { timeout: 15_000, interval: 1 },
  );
const files = (): string[] => readdirSync(join(folder, 'recordings/live')).sort();
const ends = (node: RecordingNode): unknown[] => node.records.map(({ end }) => end);

describe('recordings of a node', () => {
  it('are written nowhere unless the app wants it', async () => {
    const node = new RecordingNode();
    node.settings = { ...node.settings, mode: 'off' };
    node.publish();
    node.feed(5);
    await turn();
    expect(readdirSync(folder)).toEqual([]);
    expect([node.records, [...node.recordings.states()]]).toEqual([[], []]);
    // From now on it is, from the last keyframe on, and then not any more.
    node.settings = { ...node.settings, mode: 'always' };
    node.recordings.tick();
    node.feed(4);
    await until(() => expect(ends(node)).toEqual([undefined]));
    expect([...node.recordings.byApp(), ...node.recordings.states()]).toEqual([
      ['live', 1],
      ['live/show', 'recording'],
    ]);
    node.settings = { ...node.settings, mode: 'off' };
    node.recordings.tick();
    await until(() => expect(ends(node)).toEqual(['switched-off']));
    expect(node.records[0]).toMatchObject({ app: 'live', stream: 'show', node: 'n1', droppedFrames: 0 });
    expect(node.records[0]?.durationMs).toBeGreaterThan(4_900);
  });

  it('end with the stream, and are as large and long as the file', async () => {
    const node = new RecordingNode();
    node.publish();
    node.feed(5);
    await until(() => expect(node.records[0]?.sizeBytes).toBeGreaterThan(0));
    // While it is written it can be read as far as it is whole.
    const half = await node.api.open(node.records[0] as RecordingRecord);
    expect(half?.sizeBytes).toBeLessThanOrEqual(statSync(node.recordings.pathOf(node.records[0] as RecordingRecord)).size);
    half?.close();
    node.feed(1);
    node.finish();
    await until(() => expect(ends(node)).toEqual(['stream-ended']));
    const [record] = node.records as [RecordingRecord];
    const bytes = readFileSync(node.recordings.pathOf(record));
    expect(bytes.length).toBe(record.sizeBytes);
    expect(
      readBoxes(bytes)
        .map(({ type }) => type)
        .slice(0, 4),
    ).toEqual(['ftyp', 'moov', 'moof', 'mdat']);
    expect(Math.abs(record.durationMs - 6_000)).toBeLessThan(50);
    expect(node.recordings.stats()).toEqual({ running: 0, ended: 1, failures: 0, bytes: bytes.length });
    expect(statSync(node.recordings.pathOf(record)).mode & 0o077).toBe(0);
  });

  it('are told of when they begin, and when they have ended', async () => {
    const node = new RecordingNode();
    node.publish();
    node.feed(5);
    await until(() => expect(node.told).toHaveLength(1));
    node.finish();
    await until(() => expect(node.told).toHaveLength(2));
    const [begun, ended] = node.told as [RecordingRecord, RecordingRecord];
    expect([begun.id, begun.end, ended.end]).toEqual([ended.id, undefined, 'stream-ended']);
    expect(ended).toEqual(node.records[0]);
    // What nothing came of only ends.
    node.failure = 'ENOSPC';
    node.publish();
    node.feed(5);
    await until(() => expect(node.told.map(({ end }) => end)).toEqual([undefined, 'stream-ended', 'disk-full']));
  });

  it('are flushed while they grow, and the store hears how long they are', async () => {
    const node = new RecordingNode();
    node.publish();
    node.feed(5);
    await until(() => expect(node.records).toHaveLength(1));
    const stored = (): number => engine.under('recordings/').map(({ value }) => decodeRecording(value)?.durationMs ?? 0)[0] ?? 0;
    await until(() => expect(stored()).toBeGreaterThan(0));
    const before = [node.flushes, stored()];
    node.feed(20);
    await until(() => expect(node.records[0]?.durationMs).toBeGreaterThan(20_000));
    engine.advance(16_000);
    node.recordings.tick();
    await until(() => expect([node.flushes > (before[0] ?? 0), stored() > (before[1] ?? 0) + 15_000]).toEqual([true, true]));
  });

  it('are cut as the app says, and go on', async () => {
    const node = new RecordingNode();
    node.settings = { ...node.settings, fileMinutes: 1 };
    node.publish();
    node.feed(130);
    node.finish();
    await until(() => expect(ends(node).toSorted()).toEqual(['length', 'length', 'stream-ended']));
    expect(Math.abs(node.records.reduce((sum, record) => sum + record.durationMs, 0) - 130_000)).toBeLessThan(100);
  });

  it('end at the limit of the app, with the reason, and begin again when there is more', async () => {
    const node = new RecordingNode();
    node.publish();
    node.feed(5);
    node.isExhausted = true;
    node.recordings.tick();
    await until(() => expect(ends(node)).toEqual(['limit-recording-minutes']));
    node.feed(5);
    expect([...node.recordings.states()]).toEqual([['live/show', 'limit-recording-minutes']]);
    expect([...node.recordings.byApp()]).toEqual([]);
    node.isExhausted = false;
    node.recordings.tick();
    node.feed(5);
    await until(() => expect(ends(node)).toContain(undefined));
  });

  it('are none of a publisher that stands by, until the stream is its', async () => {
    const node = new RecordingNode();
    node.isStandby = true;
    node.publish();
    node.feed(5);
    node.recordings.tick();
    await turn();
    expect([node.records, [...node.recordings.states()]]).toEqual([[], []]);
    node.isStandby = false;
    node.recordings.tick();
    node.feed(5);
    await until(() => expect(ends(node)).toEqual([undefined]));
  });

  it('end when another node has the publisher', async () => {
    const node = new RecordingNode();
    node.publish();
    node.feed(5);
    node.hub.handOver(SHOW.path, node.client.clock.monotonic());
    node.hub.relay(
      SHOW,
      { node: 'n2', agent: '', startedWallMs: node.stream.startedWallMs },
      { evicted: () => undefined },
      node.client.clock.monotonic(),
    );
    await until(() => expect(ends(node)).toEqual(['moved']));
  });
});

describe('a disk', () => {
  it('that is full ends the recording with its code, and what was written is there; the stream goes on', async () => {
    const node = new RecordingNode();
    node.publish();
    node.feed(5);
    // Both of the fragments that are whole.
    await until(() => expect(node.records[0]?.durationMs).toBeGreaterThan(3_900));
    const { sizeBytes: before } = node.records[0] as RecordingRecord;
    node.failure = 'ENOSPC';
    node.feed(5);
    await until(() => expect(ends(node)).toEqual(['disk-full']));
    expect(node.stream.stats().framesIn).toBeGreaterThan(0);
    expect([...node.recordings.states()]).toEqual([['live/show', 'disk-full']]);
    // The torn piece is taken off.
    expect(statSync(node.recordings.pathOf(node.records[0] as RecordingRecord)).size).toBe(before);
    expect(node.records[0]?.sizeBytes).toBe(before);
    // Tried again in vain, it leaves neither files nor further entries.
    engine.advance(31_000);
    node.feed(5);
    await until(() => expect(node.recordings.stats().failures).toBe(1));
    await until(() => expect(files()).toHaveLength(1));
    expect(ends(node)).toEqual(['disk-full']);
    node.failure = undefined;
    engine.advance(31_000);
    node.feed(5);
    await until(() => expect(node.records).toHaveLength(2));
    expect([...node.recordings.states()]).toEqual([['live/show', 'recording']]);
  });

  it('that takes nothing at all is told once', async () => {
    writeFileSync(join(folder, 'recordings'), 'no folder');
    const node = new RecordingNode();
    node.publish();
    node.feed(5);
    await until(() => expect(ends(node)).toEqual(['write-failed']));
    expect(node.records[0]).toMatchObject({ sizeBytes: 0, durationMs: 0 });
    expect(await node.api.open(node.records[0] as RecordingRecord)).toBeUndefined();
  });

  it('that hangs keeps a bounded number of streams waiting, and records again when it does not', async () => {
    const node = new RecordingNode();
    let goOn = (): void => undefined;
    node.slow = new Promise((resolve) => {
      goOn = resolve;
    });
    for (let stream = 0; stream < 100; stream += 1) {
      node.publish();
      node.feed(2);
      node.finish();
    }
    goOn();
    node.slow = undefined;
    await until(() => expect(ends(node)).toEqual(Array.from({ length: 64 }, () => 'stream-ended')));
    node.publish();
    node.feed(2);
    node.finish();
    await until(() => expect(ends(node)).toHaveLength(65));
  });

  it('that is slow costs frames and no memory, and the recording says so', async () => {
    const node = new RecordingNode();
    let go: () => void = () => undefined;
    node.slow = new Promise((resolve) => {
      go = resolve;
    });
    node.publish();
    // 16 MiB may wait, and a fragment that is begun: 2.5 MB come each second.
    node.feed(12, 100_000);
    expect(node.records).toEqual([]);
    go();
    await until(() => expect(node.records[0]?.droppedFrames).toBeGreaterThan(50));
    await until(() => expect(node.recordings.stats().bytes).toBeGreaterThan(16 * 1024 * 1024));
    const { droppedFrames } = node.records[0] as RecordingRecord;
    node.feed(4);
    node.finish();
    await until(() => expect(ends(node)).toEqual(['stream-ended']));
    expect(node.records[0]?.sizeBytes).toBeLessThan(24 * 1024 * 1024);
    // From the next keyframe on it has all again.
    expect((node.records[0]?.droppedFrames ?? 0) - droppedFrames).toBeLessThan(5);
    expect(Math.abs((node.records[0]?.durationMs ?? 0) - 16_000)).toBeLessThan(100);
  });
});

describe('the catalogue', () => {
  it('is the same on all nodes, and what is deleted anywhere goes where it is, also later', async () => {
    const [one, two] = [new RecordingNode('n1'), new RecordingNode('n2')];
    one.publish();
    one.feed(5);
    one.finish();
    await until(() => expect(ends(two)).toEqual(['stream-ended']));
    expect(two.records).toEqual(one.records);
    const { id } = two.records[0] as RecordingRecord;
    one.client.cut();
    await whileItRuns(two.api.remove(id));
    expect(two.api.find(id)).toBeUndefined();
    expect(files()).toEqual([`${id}.mp4`]);
    one.client.heal();
    await until(() => expect(files()).toEqual([]));
    await until(() => expect(engine.under('recordings/')).toEqual([]));
    expect([one.records, two.records]).toEqual([[], []]);
  });

  it('loses none that is deleted while it is recorded but that one', async () => {
    const node = new RecordingNode();
    node.publish();
    node.feed(5);
    await until(() => expect(node.records).toHaveLength(1));
    await until(() => expect(engine.under('recordings/')).toHaveLength(1));
    const { id } = node.records[0] as RecordingRecord;
    await whileItRuns(node.api.remove(id));
    node.feed(5);
    await until(() => expect(files()).not.toContain(`${id}.mp4`));
    await until(() => expect(node.records.map((record) => record.id)).not.toEqual([]));
    expect(node.records.map((record) => record.id)).not.toContain(id);
  });

  it('keeps what the store does not take for later', async () => {
    const node = new RecordingNode();
    node.client.cut();
    node.publish();
    node.feed(5);
    node.finish();
    await until(() => expect(ends(node)).toEqual(['stream-ended']));
    expect(engine.under('recordings/')).toEqual([]);
    engine.advance(5_000);
    await turn();
    node.client.heal();
    engine.advance(61_000);
    node.recordings.tick();
    await until(() => expect(engine.under('recordings/')).toHaveLength(1));
    expect(ends(node)).toEqual(['stream-ended']);
  });

  it('deletes what is older than the app keeps', async () => {
    const node = new RecordingNode();
    node.publish();
    node.feed(5);
    node.finish();
    await until(() => expect(engine.under('recordings/')).toHaveLength(1));
    await until(() => expect(ends(node)).toEqual(['stream-ended']));
    node.settings = { ...node.settings, keepDays: 1 };
    engine.advance(23 * 3_600_000);
    node.recordings.tick();
    await turn();
    expect(files()).toHaveLength(1);
    engine.advance(2 * 3_600_000);
    node.recordings.tick();
    await until(() => expect(node.records).toEqual([]));
    await until(() => expect(files()).toEqual([]));
  });

  it('ends what a process that was killed was recording, and takes off what is torn', async () => {
    const killed = new RecordingNode();
    killed.publish();
    killed.feed(9);
    await until(() => expect(killed.records[0]?.durationMs).toBeGreaterThan(7_000));
    await until(() => expect(engine.under('recordings/')).toHaveLength(1));
    const [record] = killed.records as [RecordingRecord];
    // A copy of what is there at that moment, with a torn end, is what the next process finds.
    const path = killed.recordings.pathOf(record);
    const left = readFileSync(path);
    killed.client.cut();
    await whileItRuns(killed.recordings.close());
    nodes = [];
    writeFileSync(path, Buffer.concat([left, left.subarray(0, 500)]));
    truncateSync(path, left.length + 100);
    const next = new RecordingNode();
    await until(() => {
      next.recordings.tick();
      expect(ends(next)).toEqual(['interrupted']);
    });
    const [repaired] = next.records as [RecordingRecord];
    expect(repaired.sizeBytes).toBe(left.length);
    expect(statSync(path).size).toBe(left.length);
    expect(Math.abs(repaired.durationMs - record.durationMs)).toBeLessThan(30);
  });
});
