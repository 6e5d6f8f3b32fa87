import type { NodeAv, PipedFrame } from '../ffmpeg/mod.ts';
import { type FromChild, type Heartbeat, ofChannel, type ToChild } from './messages.ts';
import { probe } from './probe.ts';
import { TranscodeSession } from './transcode-session.ts';

export interface HostOutput {
  control(message: FromChild): void;
  frame(frame: PipedFrame): void;
  /** Whether the pipe is to be read. */
  flow(isOpen: boolean): void;
  /** Whether the server is slow in taking what was made. */
  isBacklogged(): boolean;
}

interface Place {
  readonly session: TranscodeSession;
  framesCounted: number;
  cpuS: number;
}

/** The child's half of the pipe: what it brings goes to the places that are taken, each a session of its own. */
export class TranscodeHost {
  private readonly av: NodeAv;
  private readonly out: HostOutput;
  private readonly places = new Map<number, Place>();
  private isFlowing = true;
  private cpuS = 0;

  constructor(av: NodeAv, out: HostOutput) {
    this.av = av;
    this.out = out;
  }

  control(message: ToChild): void {
    switch (message.kind) {
      case 'track':
        this.place(message.seat).session.setTrack(message.track);
        break;
      case 'rungs':
        this.place(message.seat).session.setRungs(message.rungs);
        break;
      case 'keyframe':
        this.place(message.seat).session.requestKeyframe(message.number);
        break;
      case 'leave':
        void this.places.get(message.seat)?.session.close();
        this.places.delete(message.seat);
        this.regulate();
        break;
      case 'probe':
        void probe(this.av, message.encoders, (encoder) => this.out.control({ kind: 'probed', encoder }));
        break;
      case 'stop':
        break;
    }
  }

  frame(frame: PipedFrame): void {
    const { seat, kind } = ofChannel(frame.channel);
    this.place(seat).session.frame(kind, frame);
    this.regulate();
  }

  /** Reads the pipe while there is room on both sides. */
  regulate(): void {
    let isOpen = !this.out.isBacklogged();
    for (const { session } of this.places.values()) if (session.isFull) isOpen = false;
    if (isOpen === this.isFlowing) return;
    this.isFlowing = isOpen;
    this.out.flow(isOpen);
  }

  /** What was used since the last time is shared out by the frames that were taken since. */
  heartbeats(): readonly Heartbeat[] {
    const { user, system } = process.cpuUsage();
    const cpuS = (user + system) / 1e6;
    const usedS = cpuS - this.cpuS;
    this.cpuS = cpuS;
    const places = [...this.places.values()];
    const taken = places.reduce((sum, { session, framesCounted }) => sum + session.framesTaken - framesCounted, 0);
    return Array.from(this.places, ([seat, place]) => {
      const share = taken === 0 ? 1 / places.length : (place.session.framesTaken - place.framesCounted) / taken;
      place.framesCounted = place.session.framesTaken;
      place.cpuS += usedS * share;
      return { seat, cpuS: place.cpuS, ...place.session.progress() };
    });
  }

  /** Ends everything; what waits is not encoded any more. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.places.values(), ({ session }) => session.close()));
  }

  private place(seat: number): Place {
    const known = this.places.get(seat);
    if (known !== undefined) return known;
    const { out } = this;
    const session = new TranscodeSession(this.av, {
      control: (message) => out.control(message.kind === 'failed' ? { ...message, seat } : message),
      frame: (frame) => out.frame(frame),
      taken: () => this.regulate(),
    });
    const place = { session, framesCounted: 0, cpuS: 0 };
    this.places.set(seat, place);
    return place;
  }
}
