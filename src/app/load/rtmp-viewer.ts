import { PictureWatch } from './picture-watch.ts';
import { RtmpClient, type RtmpTarget } from './rtmp-client.ts';
import { MESSAGE } from './rtmp-wire.ts';
import type { LoadClient, ViewerRecord } from './viewer-record.ts';

/** Plays an RTMP stream. A probe also reads the sent time out of each picture. */
export class RtmpViewer implements LoadClient {
  readonly record: ViewerRecord;
  private readonly watch: PictureWatch;
  private readonly client: RtmpClient;
  private isClosed = false;

  constructor(target: RtmpTarget, isProbe: boolean) {
    this.watch = new PictureWatch(isProbe);
    this.record = this.watch.record;
    this.client = new RtmpClient(target, 'play', {
      media: (type, timestamp, head) => {
        const nowMs = performance.now();
        this.record.firstByteAtMs ??= nowMs;
        if (type === MESSAGE.video) this.watch.video(timestamp, head, 0, nowMs);
      },
      bytes: (count) => {
        this.record.bytes += count;
      },
      status: (code) => {
        if (/Failed|NotFound|Rejected|BadName|UnpublishNotify|Stop/.test(code)) this.fail(code);
      },
      closed: (reason) => this.fail(reason),
    });
  }

  tick(nowMs: number): void {
    this.watch.tick(nowMs);
  }

  private fail(reason: string): void {
    if (!this.isClosed) this.record.error ??= reason;
    this.close();
  }

  close(): void {
    this.isClosed = true;
    this.client.close();
  }
}
