import type { Frame } from '../../media/mod.ts';
import type { PipedFrame } from '../ffmpeg/mod.ts';
import { startTranscodeChild, type TranscodePipe } from './child-process.ts';
import { channelOf, type FromChild, type Heartbeat, type NumberedRung, type PipedTrack } from './messages.ts';

const RUNG_NUMBERS = 0x1_0000;

/** What a child tells one of those that have a place in it; not before the place's owner returned to the event loop. */
export interface SeatListener {
  /** FFmpeg is loaded. */
  ready(): void;
  heartbeat(heartbeat: Heartbeat): void;
  config(number: number, config: string, encoder: string): void;
  rungFailed(number: number, code: string, message: string): void;
  /** A frame of the rung whose number is its channel. */
  frame(frame: PipedFrame): void;
  failed(code: string, message: string): void;
  /** The place is gone, as a rule with the whole process; nothing follows. */
  exited(reason: string): void;
}

/** A child process, and the places in it: each transcodes one stream, or the sound of one. */
export class TranscodeProcess {
  /** Places it has. */
  seatsMax = 1;
  private readonly child: TranscodePipe;
  private readonly seats = new Map<number, Seat>();
  private readonly rungs = new Map<number, Seat>();
  private isReady = false;
  private isEnding = false;
  private nextRung = 0;
  private failure: { readonly code: string; readonly message: string } | undefined = undefined;
  private exitReason: string | undefined = undefined;

  /** `script`: another program than the one that transcodes. */
  constructor(script?: string) {
    this.child = startTranscodeChild(
      {
        control: (message) => this.control(message),
        frame: (frame) => this.rungs.get(frame.channel)?.listener.frame(frame),
        exited: (reason) => this.exited(reason),
      },
      script,
    );
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Whether it has loaded FFmpeg and works. */
  get hasStarted(): boolean {
    return this.isReady;
  }

  get isGone(): boolean {
    return this.exitReason !== undefined;
  }

  /** Whether it is gone or about to go. */
  get isOver(): boolean {
    return this.isEnding || this.exitReason !== undefined;
  }

  get hasRoom(): boolean {
    return !this.isOver && this.seats.size < this.seatsMax;
  }

  /** Takes a place. What has happened before is told, too. */
  seat(listener: SeatListener): Seat {
    let number = 0;
    while (this.seats.has(number)) number++;
    const seat = new Seat(number, listener, this.child, {
      newRung: (of) => this.newRung(of),
      left: (of, isKilled) => this.left(of, isKilled),
    });
    this.seats.set(number, seat);
    const { isReady, failure, exitReason } = this;
    queueMicrotask(() => {
      if (isReady) listener.ready();
      if (failure !== undefined) listener.failed(failure.code, failure.message);
      if (exitReason !== undefined) listener.exited(exitReason);
    });
    return seat;
  }

  /** Ends it politely, or by force after 2 s. Settles when it is gone. */
  async close(): Promise<void> {
    this.isEnding = true;
    await this.child.close({ kind: 'stop' });
  }

  private newRung(seat: Seat): number {
    do this.nextRung = (this.nextRung + 1) % RUNG_NUMBERS;
    while (this.rungs.has(this.nextRung));
    this.rungs.set(this.nextRung, seat);
    return this.nextRung;
  }

  /** With its last place the process ends. */
  private left(seat: Seat, isKilled: boolean): Promise<void> {
    const isLast = this.seats.size === 1 && this.seats.has(seat.number);
    if (isLast && isKilled) {
      this.isEnding = true;
      this.child.kill();
      return Promise.resolve();
    }
    if (!this.seats.delete(seat.number)) return Promise.resolve();
    for (const [number, owner] of this.rungs) if (owner === seat) this.rungs.delete(number);
    if (isLast) return this.close();
    this.child.send({ kind: 'leave', seat: seat.number });
    if (isKilled) queueMicrotask(() => seat.listener.exited('its place in a shared process was taken from it'));
    return Promise.resolve();
  }

  private control(message: FromChild): void {
    switch (message.kind) {
      case 'ready':
        this.isReady = true;
        for (const { listener } of [...this.seats.values()]) listener.ready();
        break;
      case 'heartbeat':
        for (const heartbeat of message.seats) this.seats.get(heartbeat.seat)?.listener.heartbeat(heartbeat);
        break;
      case 'config':
        this.rungs.get(message.number)?.listener.config(message.number, message.config, message.encoder);
        break;
      case 'rung-failed':
        this.rungs.get(message.number)?.listener.rungFailed(message.number, message.code, message.message);
        break;
      case 'failed':
        this.failed(message.seat, message.code, message.message);
        break;
      case 'probed':
        break;
    }
  }

  private failed(seat: number | undefined, code: string, message: string): void {
    if (seat !== undefined) {
      this.seats.get(seat)?.listener.failed(code, message);
      return;
    }
    this.failure ??= { code, message };
    for (const { listener } of [...this.seats.values()]) listener.failed(code, message);
  }

  private exited(reason: string): void {
    this.exitReason = reason;
    this.rungs.clear();
    for (const { listener } of [...this.seats.values()]) listener.exited(reason);
  }
}

interface SeatOwner {
  newRung(seat: Seat): number;
  left(seat: Seat, isKilled: boolean): Promise<void>;
}

/** One place in a child process. */
export class Seat {
  readonly number: number;
  readonly listener: SeatListener;
  private readonly child: TranscodePipe;
  private readonly owner: SeatOwner;

  constructor(number: number, listener: SeatListener, child: TranscodePipe, owner: SeatOwner) {
    this.number = number;
    this.listener = listener;
    this.child = child;
    this.owner = owner;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Bytes of all places that the pipe has not taken yet. */
  get backlogBytes(): number {
    return this.child.backlogBytes;
  }

  /** A number for a rung that no other of this process has. */
  newRung(): number {
    return this.owner.newRung(this);
  }

  setTrack(track: PipedTrack): void {
    this.child.send({ kind: 'track', seat: this.number, track });
  }

  /** All rungs from now on: those that are not named end. */
  setRungs(rungs: readonly NumberedRung[]): void {
    this.child.send({ kind: 'rungs', seat: this.number, rungs });
  }

  /** A rung is to have a keyframe at once. */
  requestKeyframe(rung: number): void {
    this.child.send({ kind: 'keyframe', seat: this.number, number: rung });
  }

  /** Writes a frame of the source; its payload must not change any more. */
  sendFrame(frame: Frame): void {
    const { track, dts, pts, isKeyframe, captureMs, payload } = frame;
    this.child.sendFrame({ channel: channelOf(this.number, track.kind), dts, pts, isKeyframe, captureMs, payload });
  }

  /** Ends what it does at once, and the process where nobody else has a place in it; `exited` follows. */
  kill(): void {
    void this.owner.left(this, true);
  }

  /** Leaves politely; settles when it is done, with the process when this was its last place. */
  async close(): Promise<void> {
    await this.owner.left(this, false);
  }
}
