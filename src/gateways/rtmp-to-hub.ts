import type { MonotonicMs, WallMs } from '../core/mod.ts';
import type { Publication } from '../hub/mod.ts';
import type { MediaKind } from '../protocols/rtmp/mod.ts';
import { FlvToHub, type FlvToHubStats } from './flv-to-hub.ts';

/** Puts the media of one RTMP publication into the hub. The owner sets the time before it hands bytes to the session. */
export class RtmpToHub {
  private readonly flv: FlvToHub;
  private now: MonotonicMs;
  private wall: WallMs;

  /** `warning`: something is left out of the stream; said once for each cause. */
  constructor(publication: Pick<Publication, 'write'>, warning: (code: string, message: string) => void, now: MonotonicMs, wall: WallMs) {
    this.now = now;
    this.wall = wall;
    this.flv = new FlvToHub({ frame: (frame) => publication.write(frame, this.now, this.wall), warning });
  }

  /** The time that frames get from now on. */
  setTime(now: MonotonicMs, wall: WallMs): void {
    this.now = now;
    this.wall = wall;
  }

  /** A media message of the session; `body` is given. Throws `ProtocolError` for broken bytes. */
  media(kind: MediaKind, timestamp: number, body: Uint8Array): void {
    if (kind === 'video') this.flv.video(timestamp, body);
    else if (kind === 'audio') this.flv.audio(timestamp, body);
    else this.flv.data(body);
  }

  stats(): FlvToHubStats {
    return this.flv.stats();
  }
}
