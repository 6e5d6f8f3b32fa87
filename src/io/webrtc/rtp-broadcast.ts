import { type MonotonicMs, ticksToMs } from '../../core/mod.ts';
import { HubToRtp, type HubToRtpOutput, type RtpKind } from '../../gateways/mod.ts';
import type { FrameSource } from '../../hub/mod.ts';
import type { Frame, Track } from '../../media/mod.ts';
import type { RtpPayloads } from '../../protocols/rtp/mod.ts';
import type { FlowOptions, Kernel } from './kernel.ts';
import { MediaTimeMapping } from './media-time-mapping.ts';

/** What a broadcast needs of its owner. */
export interface RtpBroadcastListener {
  /** What is carried changed: viewers who were promised another codec have to come anew. */
  trackChanged(kind: RtpKind, track: Track | undefined): void;
  /** There is something to send: pump the group now, and again while flows are behind. */
  pump(group: number): void;
  /** A keyframe with this RTP timestamp (without a flow's offset) is about to go into the history. */
  keyframe(timestamp: number): void;
  /** The stream is over. */
  ended(): void;
  /** The group is no more. */
  closed(group: number): void;
}

/** A viewer's share of a broadcast, without where in it to begin. */
export type FlowRequest = Omit<FlowOptions, 'group' | 'fromIndex'>;

/** Payload bytes of a packet: 1,200 with RTP header, extensions and SRTP tag stays below every usual path's MTU. */
const PAYLOAD_BYTES_MAX = 1_140;
/** The history answers retransmissions and gives newcomers the group of pictures; what is beyond these goes first. */
const VIDEO_HISTORY = { packetsMax: 16_384, bytesMax: 16 * 1024 * 1024 } as const;
const AUDIO_HISTORY = { packetsMax: 1_024, bytesMax: 512 * 1024 } as const;

interface Lane {
  readonly group: number;
  track: Track | undefined;
}

/**
 * One stream (or rendition) for all its WebRTC viewers: frames become RTP payloads once and go into the kernel's histories, one for pictures
 * and one for sound, from which every viewer's flow is sent.
 */
export class RtpBroadcast implements HubToRtpOutput {
  private readonly kernel: Kernel;
  private readonly listener: RtpBroadcastListener;
  private readonly lanes: Readonly<Record<RtpKind, Lane>>;
  private readonly mapping = new MediaTimeMapping();
  private readonly detach: () => void;

  constructor(source: FrameSource, kernel: Kernel, listener: RtpBroadcastListener) {
    this.kernel = kernel;
    this.listener = listener;
    this.lanes = {
      video: { group: kernel.addGroup(VIDEO_HISTORY), track: undefined },
      audio: { group: kernel.addGroup(AUDIO_HISTORY), track: undefined },
    };
    const toRtp = new HubToRtp(this, { payloadBytesMax: PAYLOAD_BYTES_MAX, hasReorderedFrames: source.hasReorderedFrames });
    this.detach = source.attach({
      tracks: (tracks) => toRtp.tracks(tracks),
      frame: (frame) => {
        this.observe(frame);
        toRtp.frame(frame);
      },
      paused: () => toRtp.paused(),
      ended: () => toRtp.ended(),
    });
  }

  /** Those in the kernel that it fills. */
  get groups(): readonly number[] {
    return [this.lanes.video.group, this.lanes.audio.group];
  }

  /** The track of a kind that viewers can get now. */
  track(kind: RtpKind, track: Track | undefined): void {
    const lane = this.lanes[kind];
    lane.track = track;
    this.listener.trackChanged(kind, track);
  }

  carried(kind: RtpKind): Track | undefined {
    return this.lanes[kind].track;
  }

  frame(kind: RtpKind, payloads: RtpPayloads, timestamp: number, isKeyframe: boolean, captureMs: number): void {
    const { group } = this.lanes[kind];
    const { bytes, lengths, count } = payloads;
    if (isKeyframe && kind === 'video') this.listener.keyframe(timestamp);
    // Larger than half of the history: nothing plays that, and it would drive out everything else.
    const { packetsMax, bytesMax } = kind === 'video' ? VIDEO_HISTORY : AUDIO_HISTORY;
    if (count > packetsMax / 2 || sizeOf(payloads) > bytesMax / 2) return;
    // RFC 3551 section 4.1: in audio the marker would mean the beginning of a talkspurt.
    this.kernel.append(group, bytes, lengths, count, timestamp, isKeyframe && kind === 'video', kind === 'video', captureMs);
    this.listener.pump(group);
  }

  paused(): void {
    // Viewers stay: sequence numbers and timestamps go on when the publisher is back.
  }

  ended(): void {
    this.listener.ended();
  }

  /** Begins a viewer's flow: pictures at the latest keyframe, sound now. */
  addFlow(kind: RtpKind, request: FlowRequest): number {
    const { group } = this.lanes[kind];
    const flow = this.kernel.addFlow({ ...request, group, fromIndex: this.firstIndex(kind) });
    this.listener.pump(group);
    return flow;
  }

  /** Moves a viewer's flow of pictures here from another rendition of the same stream; it goes on with the next packet, a keyframe's first. */
  takeFlow(flow: number, timestampOffset: number): void {
    const { group } = this.lanes.video;
    this.kernel.switchFlow(flow, group, this.kernel.groupStats(group).headIndex, timestampOffset);
  }

  /** Packets between the latest keyframe and now, which a newcomer has to catch up on. */
  packetsSinceKeyframe(): number {
    const { headIndex, keyframeIndex } = this.kernel.groupStats(this.lanes.video.group);
    return keyframeIndex < 0 ? 0 : headIndex - keyframeIndex;
  }

  /** The RTP timestamp (without a flow's offset) of what is being sent at `now`, in ticks of `clockRate`; undefined before the first frame. */
  timestampAt(clockRate: number, now: MonotonicMs): number | undefined {
    const mediaMs = this.mapping.mediaMsAt(now);
    return mediaMs === undefined ? undefined : Math.round((mediaMs * clockRate) / 1000) >>> 0;
  }

  close(): void {
    this.detach();
    for (const { group } of [this.lanes.video, this.lanes.audio]) {
      this.kernel.removeGroup(group);
      this.listener.closed(group);
    }
  }

  private observe({ pts, track, receivedMs }: Frame): void {
    // Of pictures that are not sent for their B-frames, pts runs ahead of the time.
    if (this.lanes[track.kind].track?.id === track.id) this.mapping.observe(ticksToMs(pts, track.timescale), receivedMs);
  }

  private firstIndex(kind: RtpKind): number {
    const { headIndex, keyframeIndex } = this.kernel.groupStats(this.lanes[kind].group);
    return kind === 'video' && keyframeIndex >= 0 ? keyframeIndex : headIndex;
  }
}

function sizeOf({ lengths, count }: RtpPayloads): number {
  let bytes = 0;
  for (let index = 0; index < count; index++) bytes += lengths[index] ?? 0;
  return bytes;
}
