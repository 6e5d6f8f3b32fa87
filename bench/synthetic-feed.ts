import { type MonotonicMs, mediaTime, monotonicMs, Slab, streamRef } from '../src/core/mod.ts';
import type { Hub, LiveStream, Publication } from '../src/hub/mod.ts';
import { systemClock } from '../src/io/mod.ts';
import { audioTrack, videoTrack } from '../src/media/source-frames.fixture.ts';

const FRAME_MS = 1000 / 30;
const AUDIO_MS = 1024 / 48;
const GOP_FRAMES = 60;
const BITRATE_BPS = 2_500_000;
const AUDIO_BYTES = 340;
/** Keyframes are eight times the others. */
const FRAME_BYTES = Math.round(((BITRATE_BPS / 8 - (AUDIO_BYTES * 1000) / AUDIO_MS) * (GOP_FRAMES / 30)) / (GOP_FRAMES + 7));

/** A synthetic publisher of a hub's stream `bench/stream-N`, whose frames fall due in real time: 720p30 and sound, 2.5 Mbit/s, or the sound alone. */
export class SyntheticFeed {
  private readonly publication: Publication;
  readonly hasPictures: boolean;
  private readonly offsetMs: number;
  /** As the readers of a publisher's messages have one. */
  private readonly slab = new Slab();
  private video = 0;
  private audio = 0;

  constructor(hub: Hub, index: number, startMs: MonotonicMs, hasPictures = true) {
    const info = { protocol: 'rtmp', address: '127.0.0.1', agent: 'bench' } as const;
    const ref = streamRef('bench', `stream-${index}`);
    const publication = hub.publish(ref, info, { evicted: () => undefined }, 'reject', systemClock.monotonic(), systemClock.wall());
    if (typeof publication === 'string') throw new Error(publication);
    this.publication = publication;
    this.hasPictures = hasPictures;
    // Publishers do not send in step, nor do their keyframes come together.
    this.offsetMs = startMs + ((index * 373.3) % (GOP_FRAMES * FRAME_MS));
  }

  /** Frames that a stream has in a second. */
  static frameRate(hasPictures: boolean): number {
    return 1000 / AUDIO_MS + (hasPictures ? 1000 / FRAME_MS : 0);
  }

  get stream(): LiveStream {
    return this.publication.stream;
  }

  /** Frames so far. */
  get framesWritten(): number {
    return this.video + this.audio;
  }

  /** When the next frame falls due. */
  get dueAt(): MonotonicMs {
    return monotonicMs(Math.min(this.audioDueMs, this.videoDueMs));
  }

  /** Writes what is due. */
  write(now: MonotonicMs): void {
    for (; this.audioDueMs <= now; this.audio++) this.put(audioTrack, this.audio * 1024, true, AUDIO_BYTES, now);
    for (; this.videoDueMs <= now; this.video++) {
      const isKeyframe = this.video % GOP_FRAMES === 0;
      this.put(videoTrack, this.video * 3000, isKeyframe, isKeyframe ? 8 * FRAME_BYTES : FRAME_BYTES, now);
    }
  }

  private get audioDueMs(): number {
    return this.offsetMs + this.audio * AUDIO_MS;
  }

  private get videoDueMs(): number {
    return this.hasPictures ? this.offsetMs + this.video * FRAME_MS : Number.POSITIVE_INFINITY;
  }

  private put(track: typeof audioTrack | typeof videoTrack, dts: number, isKeyframe: boolean, size: number, now: MonotonicMs): void {
    const frame = { track, dts: mediaTime(dts), pts: mediaTime(dts), isKeyframe, payload: this.slab.take(size) };
    this.publication.write(frame, now, systemClock.wall());
  }
}
