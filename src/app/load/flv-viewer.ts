import type { Socket } from 'node:net';
import { openConnection } from './connection.ts';
import { FlvScanner } from './flv-scanner.ts';
import { HttpReader } from './http-reader.ts';
import { PictureWatch } from './picture-watch.ts';
import type { LoadClient, ViewerRecord } from './viewer-record.ts';

const TAG_VIDEO = 9;
const BODY_AT = 11;

/** Plays an HTTP-FLV stream. A probe also reads the sent time out of each picture. */
export class FlvViewer implements LoadClient {
  readonly record: ViewerRecord;
  private readonly watch: PictureWatch;
  private readonly socket: Socket;
  private isClosed = false;
  private nowMs = 0;

  constructor(url: URL, isProbe: boolean) {
    this.watch = new PictureWatch(isProbe);
    this.record = this.watch.record;
    const scanner = new FlvScanner({ tag: (type, timestamp, head) => this.tag(type, timestamp, head) });
    const reader = new HttpReader({
      head: (status) => {
        if (status !== 200) this.fail(`the server answered ${status}`);
      },
      body: (bytes) => {
        this.record.firstByteAtMs ??= this.nowMs;
        this.record.bytes += bytes.length;
        scanner.receive(bytes);
      },
      end: () => this.fail('the stream ended'),
    });
    this.socket = openConnection(url.hostname, Number(url.port || 80), {
      connected: () =>
        this.socket.write(`GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nUser-Agent: sluice-load\r\n\r\n`),
      received: (bytes) => {
        this.nowMs = performance.now();
        try {
          reader.receive(bytes);
        } catch (error) {
          this.fail(String(error));
        }
      },
      closed: (reason) => this.fail(reason),
    });
  }

  private tag(type: number, timestamp: number, head: Buffer): void {
    if (type === TAG_VIDEO) this.watch.video(timestamp, head, BODY_AT, this.nowMs);
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
    this.socket.destroy();
  }
}
