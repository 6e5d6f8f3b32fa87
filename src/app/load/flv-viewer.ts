import type { Socket } from 'node:net';
import { openConnection } from './connection.ts';
import { FlvScanner } from './flv-scanner.ts';
import { HttpReader } from './http-reader.ts';
import { Playback } from './playback.ts';
import { readSentTime } from './sent-time.ts';
import { avcPayloadAt, readVideoHead } from './video-head.ts';
import { type LoadClient, newRecord, noteLatency, type ViewerRecord } from './viewer-record.ts';

const TAG_VIDEO = 9;
const BODY_AT = 11;

/** Plays an HTTP-FLV stream. A probe also reads the sent time out of each picture. */
export class FlvViewer implements LoadClient {
  readonly record: ViewerRecord = newRecord();
  private readonly playback = new Playback();
  private readonly isProbe: boolean;
  private readonly socket: Socket;
  private isClosed = false;
  private nowMs = 0;

  constructor(url: URL, isProbe: boolean) {
    this.isProbe = isProbe;
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
    if (type !== TAG_VIDEO) return;
    const kind = readVideoHead(head, BODY_AT);
    if (kind === 'other') return;
    const isFirst = this.record.firstKeyframeAtMs === undefined;
    if (isFirst && kind !== 'keyframe') return;
    this.record.firstKeyframeAtMs ??= this.nowMs;
    this.playback.frame(timestamp, this.nowMs);
    if (!this.isProbe || this.nowMs - (this.record.firstKeyframeAtMs ?? 0) < LIVE_AFTER_MS) return;
    const sentMs = readSentTime(head, avcPayloadAt(BODY_AT));
    if (sentMs !== undefined) noteLatency(this.record, Date.now() - sentMs);
  }

  tick(nowMs: number): void {
    this.playback.tick(nowMs);
    this.record.stalls = this.playback.stalls;
    this.record.lostFrames = this.playback.lostFrames;
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

// What comes at once from the cached GOP is old on purpose, and says nothing about how long a frame takes.
const LIVE_AFTER_MS = 500;
