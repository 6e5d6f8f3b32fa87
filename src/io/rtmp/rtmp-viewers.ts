import type { SizeBytes } from '../../core/mod.ts';
import { HubToRtmp } from '../../gateways/mod.ts';
import type { LiveStream } from '../../hub/mod.ts';
import { SERVER_MESSAGE_STREAM_ID } from '../../protocols/rtmp/mod.ts';
import { Broadcaster, type BroadcastOptions, type BroadcastStats } from '../broadcast.ts';
import type { Clock } from '../clock.ts';
import type { ViewerSocket } from '../viewer-socket.ts';

/** The broadcasters of all streams that somebody plays by RTMP. */
export class RtmpViewers {
  private readonly options: BroadcastOptions;
  private readonly chunkSize: SizeBytes;
  private readonly gopCacheBytesMax: SizeBytes;
  private readonly clock: Clock;
  private readonly broadcasters = new Map<LiveStream, Broadcaster>();

  constructor(options: BroadcastOptions, chunkSize: SizeBytes, gopCacheBytesMax: SizeBytes, clock: Clock) {
    this.options = options;
    this.chunkSize = chunkSize;
    this.gopCacheBytesMax = gopCacheBytesMax;
    this.clock = clock;
  }

  /** Adds a viewer whose session accepted to play; returns what takes it out. */
  add(stream: LiveStream, socket: ViewerSocket): () => void {
    const broadcaster = this.broadcasters.get(stream) ?? this.create(stream);
    return broadcaster.add(socket, 'raw');
  }

  stats(): readonly BroadcastStats[] {
    return Array.from(this.broadcasters.values(), (broadcaster) => broadcaster.stats());
  }

  close(): void {
    for (const broadcaster of [...this.broadcasters.values()]) broadcaster.close();
  }

  private create(stream: LiveStream): Broadcaster {
    const packagerOptions = {
      chunkSize: this.chunkSize,
      messageStreamId: SERVER_MESSAGE_STREAM_ID,
      gopCacheBytesMax: this.gopCacheBytesMax,
    };
    const broadcaster: Broadcaster = new Broadcaster(
      stream,
      'rtmp',
      (out) => new HubToRtmp(out, packagerOptions),
      this.options,
      this.clock,
      () => {
        this.broadcasters.delete(stream);
        broadcaster.close();
      },
    );
    this.broadcasters.set(stream, broadcaster);
    return broadcaster;
  }
}
