import type { streamRef } from '../../core/mod.ts';
import { mediaTime, monotonicMs, wallMs } from '../../core/mod.ts';
import type { Hub, Publication } from '../../hub/mod.ts';
import type { SourceFrame, Track } from '../../media/mod.ts';
import { audioTrack, videoTrack, WALL_ZERO_MS } from '../../media/source-frames.fixture.ts';

/** Publishes synthetic media whose bytes differ from frame to frame, in its own time. */
export class TestPublisher {
  publication: Publication;
  atMs = 0;
  private readonly hub: Hub;
  private readonly ref: ReturnType<typeof streamRef>;

  constructor(hub: Hub, ref: ReturnType<typeof streamRef>) {
    this.hub = hub;
    this.ref = ref;
    this.publication = this.publish();
  }

  /** Puts in the next `seconds`; a keyframe each two seconds. */
  feed(seconds: number, videoBytes = 900): void {
    const untilMs = this.atMs + seconds * 1000;
    const due: { ms: number; track: Track; isKeyframe: boolean }[] = [];
    for (let ms = Math.ceil(this.atMs / 40) * 40; ms < untilMs; ms += 40) due.push({ ms, track: videoTrack, isKeyframe: ms % 2_000 === 0 });
    for (let ms = Math.ceil(this.atMs / 20) * 20; ms < untilMs; ms += 20) due.push({ ms, track: audioTrack, isKeyframe: true });
    for (const { ms, track, isKeyframe } of due.sort((a, b) => a.ms - b.ms)) {
      const bytes = track.kind === 'audio' ? 60 : isKeyframe ? videoBytes * 4 : videoBytes;
      this.publication.write(frameAt(track, ms, isKeyframe, bytes), monotonicMs(ms), wallMs(WALL_ZERO_MS + ms));
    }
    this.atMs = untilMs;
  }

  /** The publisher drops, and comes back. */
  drop(): void {
    this.publication.lost(monotonicMs(this.atMs));
  }

  comeBack(): void {
    this.publication = this.publish();
  }

  private publish(): Publication {
    const info = { protocol: 'rtmp', address: '192.0.2.1', agent: 'test encoder' } as const;
    const publication = this.hub.publish(
      this.ref,
      info,
      { evicted: () => undefined },
      'reject',
      monotonicMs(this.atMs),
      wallMs(WALL_ZERO_MS + this.atMs),
    );
    if (typeof publication === 'string') throw new Error(publication);
    return publication;
  }
}

/** A frame of the publisher's clock. */
export function frameAt(track: Track, ms: number, isKeyframe: boolean, bytes: number): SourceFrame {
  const dts = mediaTime(Math.round((ms * track.timescale) / 1000));
  const payload = new Uint8Array(bytes).fill((ms / 20 + track.id) & 0xff);
  return { track, dts, pts: mediaTime(track.kind === 'video' ? dts + 3_600 : dts), isKeyframe, payload };
}
