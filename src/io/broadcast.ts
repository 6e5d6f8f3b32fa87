import type { DurationMs, MonotonicMs, SizeBytes } from '../core/mod.ts';
import type { BroadcastOutput, BroadcastPackager } from '../gateways/mod.ts';
import type { LiveStream } from '../hub/mod.ts';
import { type Batch, PendingBatch } from './broadcast-batch.ts';
import type { Clock } from './clock.ts';
import { DirectWrites } from './direct-writes.ts';
import { descriptorOf } from './shared-file.ts';
import { UnitRhythm } from './unit-rhythm.ts';
import { type Framing, type ViewerSocket, WEBSOCKET_CLOSE, websocketHeader } from './viewer-socket.ts';

/** Up to this many viewers every unit is sent at once. */
const UNBATCHED_VIEWERS_MAX = 50;
/** Viewers written to before the event loop gets a turn. */
const SLICE_VIEWERS = 500;
/** From so many on a batch is worth a file, from which the kernel sends it without copying. */
const FILE_VIEWERS_MIN = 16;
/** The last viewers wait for the writing, too: by so much of it a batch is collected for less time. More would be paid for with many more writes. */
const SHORTENED_SHARE = 0.75;
/** What belongs to a batch's last unit comes within this time. */
const LAST_UNITS_MS = 1;
/** A viewer that skips counts as drained below this share of its queue's limit. */
const DRAINED_SHARE = 0.25;
/** How long a viewer gets to take what is queued when the stream ends. */
const FAREWELL_MS = 5_000;

export interface BroadcastOptions {
  /** How long units are collected while there are more than 50 viewers; at most 100. */
  readonly batchMs: DurationMs;
  /** A viewer with more than this unsent skips to a later keyframe. */
  readonly sendQueueBytesMax: SizeBytes;
  /** A viewer whose queue has not drained for this long is disconnected. */
  readonly stalledMsMax: DurationMs;
}

export interface BroadcastStats {
  readonly viewers: number;
  readonly bytesOut: number;
  /** How often a viewer fell behind and lost units up to a later keyframe. */
  readonly skips: number;
  /** Viewers disconnected because they did not read. */
  readonly stalledViewers: number;
}

/** What a broadcaster tells. Called synchronously; must not throw. */
export interface BroadcasterListener {
  /** A batch has been written to all viewers, so long after its first unit came in. */
  delivered(latencyMs: number): void;
  /** A viewer is disconnected because it did not read; `remote` as given with it. */
  stalled(remote: string): void;
  /** Once, when the last viewer has left or the stream is over: forget the broadcaster then, and make a new one for the next viewer. */
  idle(last: BroadcastStats): void;
}

interface Viewer {
  readonly remote: string;
  readonly socket: ViewerSocket;
  readonly isFramed: boolean;
  /** The first batch that it gets whole. */
  fromBatch: number;
  /** Where its part of the batch begins that was open when it came. */
  readonly tailOffset: number;
  /** Above `sendQueueBytesMax` until the preamble is through. */
  backlogMax: number;
  isSkipping: boolean;
  /** Those in force where the last batch began that it got. */
  headers: Uint8Array | undefined;
  isGone: boolean;
  stalledSinceMs: number;
}

/**
 * Writes one stream in one protocol to all its viewers: each batch is one buffer that all sockets share.
 * A new viewer gets the packager's preamble at once and then exactly the units that follow it.
 */
export class Broadcaster {
  private readonly stream: LiveStream;
  private readonly protocol: string;
  private readonly options: BroadcastOptions;
  private readonly clock: Clock;
  private readonly packager: BroadcastPackager;
  private detach: () => void = () => undefined;
  private readonly listener: BroadcasterListener;
  /** Changes places only while nothing is being delivered, as slices remember where they are. */
  private all: Viewer[] = [];
  private newcomers: Viewer[] = [];
  private readonly pending = new PendingBatch();
  private readonly queue: Batch[] = [];
  private cursor = 0;
  private timer: NodeJS.Timeout | undefined;
  private immediate: NodeJS.Immediate | undefined;
  private isDue = false;
  private isLast = false;
  private isEnding = false;
  private present = 0;
  private bytesOut = 0;
  private skips = 0;
  private stalledViewers = 0;
  private readonly rhythm = new UnitRhythm();
  /** Of the last batch, to all viewers. */
  private writingMsPerByte = 0;
  private writingSinceMs = 0;
  private readonly direct = new DirectWrites(SLICE_VIEWERS);
  private readonly directFramed = new DirectWrites(SLICE_VIEWERS);

  constructor(
    stream: LiveStream,
    protocol: string,
    makePackager: (out: BroadcastOutput) => BroadcastPackager,
    options: BroadcastOptions,
    clock: Clock,
    listener: BroadcasterListener,
  ) {
    this.stream = stream;
    this.protocol = protocol;
    this.options = options;
    this.clock = clock;
    this.listener = listener;
    this.packager = makePackager({
      unit: (bytes, startsGop) => this.unit(bytes, startsGop),
      paused: () => this.flush(),
      ended: () => this.close(),
    });
    this.detach = stream.attach(this.packager);
    if (this.isEnding) this.detach();
  }

  get viewers(): number {
    return this.present;
  }

  /** Adds a viewer, whose address is `remote`, and writes the preamble to it; the socket belongs to the broadcaster until the returned function takes it out. */
  add(socket: ViewerSocket, framing: Framing, remote: string): () => void {
    const preamble = this.packager.preamble();
    let bytes = 0;
    for (const part of preamble) bytes += part.length;
    const viewer: Viewer = {
      remote,
      socket,
      isFramed: framing === 'websocket',
      fromBatch: this.pending.nextNumber + (this.pending.isEmpty ? 0 : 1),
      tailOffset: this.pending.sizeBytes,
      backlogMax: this.options.sendQueueBytesMax + bytes,
      isSkipping: false,
      headers: undefined,
      isGone: false,
      stalledSinceMs: 0,
    };
    const remove = (): void => this.remove(viewer);
    socket.on('close', remove);
    socket.on('error', remove);
    if (this.isEnding) {
      farewell(viewer);
      return remove;
    }
    // Corked, the shared parts leave in one system call without being copied into one buffer.
    socket.cork();
    if (viewer.isFramed && bytes > 0) socket.write(websocketHeader(bytes));
    for (const part of preamble) socket.write(part);
    socket.uncork();
    this.bytesOut += bytes;
    this.all.push(viewer);
    if (!this.pending.isEmpty) this.newcomers.push(viewer);
    this.count(1);
    return remove;
  }

  stats(): BroadcastStats {
    return {
      viewers: this.present,
      bytesOut: this.bytesOut,
      skips: this.skips,
      stalledViewers: this.stalledViewers,
    };
  }

  /** Sends what is pending, ends all viewers and leaves the stream. */
  close(): void {
    if (this.isEnding) return;
    this.isEnding = true;
    this.detach();
    this.flush();
    while (this.queue.length > 0) this.deliverSlice(this.all.length);
    clearImmediate(this.immediate);
    for (const viewer of this.all) {
      if (!viewer.isGone) farewell(viewer);
    }
    this.stream.viewers.delete(this.protocol);
    this.present = 0;
    this.all = [];
    this.listener.idle(this.stats());
  }

  private remove(viewer: Viewer): void {
    if (viewer.isGone) return;
    viewer.isGone = true;
    if (this.isEnding) return;
    this.count(-1);
    if (this.queue.length === 0) this.forgetGone();
    if (this.present === 0) this.close();
  }

  private forgetGone(): void {
    // Halving keeps the cost of leaving constant on average.
    if (this.all.length > this.present * 2 || this.all.length - this.present > SLICE_VIEWERS) {
      this.all = this.all.filter((viewer) => !viewer.isGone);
    }
  }

  private count(change: 1 | -1): void {
    this.present += change;
    this.stream.viewers.set(this.protocol, this.present);
  }

  private unit(bytes: Uint8Array, startsGop: boolean): void {
    if (this.present === 0) return;
    const now = this.clock.monotonic();
    this.rhythm.note(now);
    // Skipping viewers come back in at a batch's beginning.
    if (startsGop) this.flush();
    // The first unit of a batch decides which headers whoever comes back in there needs.
    if (this.pending.isEmpty) this.pending.open(startsGop, this.packager.headers(), now);
    this.pending.add(bytes);
    if (this.present <= UNBATCHED_VIEWERS_MAX) this.flush();
    else this.collect(now);
  }

  /** Waits for further units, or only for what comes together with this one, where the next is expected too late. */
  private collect(now: MonotonicMs): void {
    if (this.isLast) return;
    const { batchMs } = this.options;
    const writingMs = this.pending.sizeBytes * this.writingMsPerByte;
    const leftMs = batchMs - Math.min(writingMs, batchMs) * SHORTENED_SHARE - this.pending.ageMs(now);
    this.isLast = !this.rhythm.expectsWithin(leftMs);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.timerFired(), this.isLast ? LAST_UNITS_MS : leftMs);
  }

  /** A batch still under way is let through first: under load batches grow instead of queueing up. */
  private timerFired(): void {
    this.timer = undefined;
    if (this.queue.length === 0) this.flush();
    else this.isDue = true;
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.isDue = false;
    this.isLast = false;
    if (this.pending.isEmpty) return;
    const batch = this.pending.seal(this.present >= FILE_VIEWERS_MIN);
    for (const viewer of this.newcomers) this.writeTail(viewer, batch);
    this.newcomers = [];
    this.queue.push(batch);
    if (this.queue.length === 1) {
      this.cursor = 0;
      this.deliverSlice(SLICE_VIEWERS);
    }
  }

  private writeTail(viewer: Viewer, batch: Batch): void {
    if (!viewer.isGone) this.writeOwn(viewer, batch.raw.subarray(viewer.tailOffset));
  }

  /** Writes what only this viewer needs, as a message of its own. */
  private writeOwn({ socket, isFramed }: Viewer, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    socket.cork();
    if (isFramed) socket.write(websocketHeader(bytes.length));
    socket.write(bytes);
    socket.uncork();
    this.bytesOut += bytes.length;
  }

  private deliverSlice(viewersMax: number): void {
    const batch = this.queue[0];
    if (batch === undefined) return;
    if (this.cursor === 0) this.writingSinceMs = this.clock.monotonic();
    const end = Math.min(this.cursor + viewersMax, this.all.length);
    for (let from = this.cursor; from < end; from += SLICE_VIEWERS) this.writeTo(batch, from, Math.min(from + SLICE_VIEWERS, end));
    this.cursor = end;
    if (end === this.all.length) this.finishBatch(batch);
    if (this.queue.length === 0) {
      if (this.isDue) this.flush();
    } else if (!this.isEnding) {
      this.immediate = setImmediate(() => this.deliverSlice(SLICE_VIEWERS));
    }
  }

  private finishBatch(batch: Batch): void {
    const now = this.clock.monotonic();
    this.listener.delivered(now - batch.sinceMs);
    this.writingMsPerByte = (now - this.writingSinceMs) / batch.raw.length;
    batch.file?.close();
    this.queue.shift();
    this.cursor = 0;
    if (this.queue.length === 0) this.forgetGone();
  }

  /** The hot loop: once per viewer and batch, so nothing is allocated here. At most `SLICE_VIEWERS` at once. */
  private writeTo(batch: Batch, from: number, end: number): void {
    const { all } = this;
    const { number, raw, framed, file } = batch;
    const { sendQueueBytesMax } = this.options;
    let written = 0;
    for (let index = from; index < end; index++) {
      const viewer = all[index];
      if (viewer === undefined || viewer.isGone || viewer.fromBatch > number) continue;
      const backlog = viewer.socket.writableLength;
      if (viewer.isSkipping ? !this.rejoins(viewer, backlog, batch) : backlog > viewer.backlogMax) {
        if (!viewer.isSkipping) this.startSkipping(viewer);
        continue;
      }
      if (backlog <= sendQueueBytesMax) viewer.backlogMax = sendQueueBytesMax;
      viewer.headers = batch.headers;
      const descriptor = file === undefined ? -1 : descriptorOf(viewer.socket);
      if (descriptor < 0) viewer.socket.write(viewer.isFramed ? framed : raw);
      else (viewer.isFramed ? this.directFramed : this.direct).add(viewer.socket, descriptor);
      written++;
    }
    if (file !== undefined) {
      this.direct.send(file, raw);
      this.directFramed.send(file, framed);
    }
    this.bytesOut += written * raw.length;
  }

  private startSkipping(viewer: Viewer): void {
    viewer.isSkipping = true;
    viewer.stalledSinceMs = this.clock.monotonic();
    this.skips++;
  }

  private rejoins(viewer: Viewer, backlog: number, batch: Batch): boolean {
    const now = this.clock.monotonic();
    if (backlog > this.options.sendQueueBytesMax * DRAINED_SHARE) {
      if (now - viewer.stalledSinceMs >= this.options.stalledMsMax) {
        this.stalledViewers++;
        this.listener.stalled(viewer.remote);
        viewer.socket.destroy();
      }
      return false;
    }
    // Drained: from here on it only waits for a keyframe, which is not its fault.
    viewer.stalledSinceMs = now;
    if (!batch.startsGop) return false;
    viewer.isSkipping = false;
    // It may have skipped the change of tracks.
    if (viewer.headers !== batch.headers) this.writeOwn(viewer, batch.headers);
    return true;
  }
}

/** Lets the viewer take what is queued, then closes; cuts the connection if it does not. */
function farewell(viewer: Viewer): void {
  const { socket } = viewer;
  const deadline = setTimeout(() => socket.destroy(), FAREWELL_MS);
  deadline.unref();
  if (viewer.isFramed) socket.write(WEBSOCKET_CLOSE);
  socket.end(() => {
    clearTimeout(deadline);
    socket.destroy();
  });
}
