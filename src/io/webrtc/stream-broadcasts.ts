import { durationMs, type MonotonicMs } from '../../core/mod.ts';
import type { RtpKind } from '../../gateways/mod.ts';
import type { FrameSource } from '../../hub/mod.ts';
import type { Track } from '../../media/mod.ts';
import { KeyframeRequests } from '../../protocols/rtp/mod.ts';
import type { Clock } from '../clock.ts';
import type { HistogramValue } from '../latency-histogram.ts';
import { GroupPump } from './group-pump.ts';
import type { Kernel } from './kernel.ts';
import { RtpBroadcast } from './rtp-broadcast.ts';

/** What a broadcast is made of: a stream or one of its renditions. */
export interface BroadcastSource extends FrameSource {
  /** By protocol. */
  readonly viewers: Map<string, number>;
  /** A frame has been sent to the last viewer who keeps up, so long after it came in. */
  delivered?(latencyMs: number): void;
}

/** A viewer of a broadcast, as far as the broadcast has to say something to it. */
export interface BroadcastViewer {
  trackChanged(from: StreamBroadcast, kind: RtpKind, track: Track | undefined): void;
  /** A keyframe with this RTP timestamp (without a flow's offset) is about to be sent: whoever changes to this broadcast begins with it. */
  keyframe(from: StreamBroadcast, timestamp: number): void;
  broadcastEnded(from: StreamBroadcast): void;
}

/** One stream's broadcast, or one of its renditions', with its viewers. */
export interface StreamBroadcast {
  readonly rtp: RtpBroadcast;
  /** A viewer cannot go on without a keyframe. Asked for once for all who wish at the same time. */
  requestKeyframe(now: MonotonicMs): void;
  /** The viewer leaves; without viewers the broadcast ends. */
  remove(viewer: BroadcastViewer): void;
}

/** Viewers that lose packets together ask together: one wish each so long reaches the publisher. */
const KEYFRAME_INTERVAL_MS = 1_000;

/** The broadcasts of all streams and renditions that somebody plays by WebRTC. Each has one from its first viewer until its last has left. */
export class StreamBroadcasts {
  private readonly kernel: Kernel;
  private readonly clock: Clock;
  private readonly groups: GroupPump;
  private readonly entries = new Map<BroadcastSource, Entry>();

  constructor(kernel: Kernel, clock: Clock) {
    this.kernel = kernel;
    this.clock = clock;
    this.groups = new GroupPump(kernel);
  }

  /** Sockets take packets again. */
  drained(): void {
    this.groups.drained();
  }

  /** The broadcast of a stream or rendition with one viewer more. */
  join(source: BroadcastSource, viewer: BroadcastViewer): StreamBroadcast {
    let entry = this.entries.get(source);
    if (entry === undefined) {
      entry = new Entry(source, this.kernel, this.groups, () => this.entries.delete(source));
      this.entries.set(source, entry);
    }
    entry.add(viewer);
    return entry;
  }

  /** Sends wishes for keyframes that had to wait. */
  tick(): void {
    const now = this.clock.monotonic();
    for (const entry of this.entries.values()) entry.tick(now);
  }

  /** From a frame's arrival to its last packet to the last viewer who keeps up, in ms: the value below which `share` of the frames lie. */
  latencyMs(share: number): number {
    return this.groups.latencyMs(share);
  }

  /** The same of all frames since the start. */
  latency(): HistogramValue {
    return this.groups.latency();
  }

  close(): void {
    for (const entry of [...this.entries.values()]) entry.close();
    this.groups.close();
  }
}

class Entry implements StreamBroadcast {
  readonly rtp: RtpBroadcast;
  private readonly source: BroadcastSource;
  private readonly viewers = new Set<BroadcastViewer>();
  private readonly keyframes = new KeyframeRequests(durationMs(KEYFRAME_INTERVAL_MS));
  private readonly closed: () => void;
  private isClosed = false;

  constructor(source: BroadcastSource, kernel: Kernel, groups: GroupPump, closed: () => void) {
    this.source = source;
    this.closed = closed;
    this.rtp = new RtpBroadcast(source, kernel, {
      trackChanged: (kind, track) => this.each((viewer) => viewer.trackChanged(this, kind, track)),
      pump: (group) => groups.pump(group),
      keyframe: (timestamp) => {
        this.keyframes.keyframe();
        this.each((viewer) => viewer.keyframe(this, timestamp));
      },
      ended: () => {
        this.each((viewer) => viewer.broadcastEnded(this));
        this.close();
      },
      closed: (group) => groups.forget(group),
    });
    for (const group of this.rtp.groups) groups.watch(group, (latencyMs) => source.delivered?.(latencyMs));
  }

  add(viewer: BroadcastViewer): void {
    this.viewers.add(viewer);
    this.count();
  }

  remove(viewer: BroadcastViewer): void {
    if (!this.viewers.delete(viewer)) return;
    this.count();
    if (this.viewers.size === 0) this.close();
  }

  requestKeyframe(now: MonotonicMs): void {
    if (this.keyframes.request(now)) this.source.requestKeyframe();
  }

  tick(now: MonotonicMs): void {
    if (this.keyframes.tick(now)) this.source.requestKeyframe();
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.rtp.close();
    this.closed();
  }

  private count(): void {
    const { source, viewers } = this;
    if (viewers.size > 0) source.viewers.set('webrtc', viewers.size);
    else source.viewers.delete('webrtc');
  }

  /** Viewers may leave from within. */
  private each(act: (viewer: BroadcastViewer) => void): void {
    for (const viewer of [...this.viewers]) if (this.viewers.has(viewer)) act(viewer);
  }
}
