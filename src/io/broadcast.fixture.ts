import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { bitrateBps, streamRef, wallMs } from '../core/mod.ts';
import type { BroadcastOutput, BroadcastPackager } from '../gateways/mod.ts';
import type { LiveStream, Sink, StreamCounts } from '../hub/mod.ts';
import type { ViewerSocket } from './viewer-socket.ts';

const NO_COUNTS: StreamCounts = {
  framesIn: 0,
  bytesIn: 0,
  keyframeIntervalMs: 0,
  timestampJumps: 0,
  gopBytes: 0,
  droppedBeforeKeyframe: 0,
};

/** A live stream without frames: the packager's `emit` takes their place. */
export function emptyStream(): LiveStream & { sinks: Set<Sink> } {
  const sinks = new Set<Sink>();
  return {
    sinks,
    ref: streamRef('live', 'show'),
    publisher: { protocol: 'rtmp', address: '127.0.0.1', agent: '' },
    tracks: [],
    hasReorderedFrames: false,
    keyframe: undefined,
    headMs: undefined,
    renditions: new Map(),
    renditionCount: 0,
    requestKeyframe: () => undefined,
    state: 'live',
    startedWallMs: wallMs(0),
    discontinuity: 0,
    viewers: new Map(),
    attach: (sink) => {
      sinks.add(sink);
      return () => void sinks.delete(sink);
    },
    stats: () => ({ ...NO_COUNTS, bitrateBps: bitrateBps(0), frameRate: 0, driftMs: 0 }),
    counts: () => NO_COUNTS,
    latency: undefined,
    delivered: () => undefined,
  };
}

const UNIT_HEADER_BYTES = 9;

/** Makes numbered units: number, length and keyframe flag, then padding. */
export class NumberedPackager implements BroadcastPackager {
  private readonly out: BroadcastOutput;
  private gop: Uint8Array[] = [];
  next = 0;
  headersInForce: Uint8Array = new Uint8Array(0);

  constructor(out: BroadcastOutput) {
    this.out = out;
  }

  emit(startsGop: boolean, sizeBytes = UNIT_HEADER_BYTES): void {
    const unit = Buffer.alloc(Math.max(sizeBytes, UNIT_HEADER_BYTES));
    unit.writeUInt32BE(this.next++, 0);
    unit.writeUInt32BE(unit.length, 4);
    unit[8] = startsGop ? 1 : 0;
    if (startsGop) this.gop = [];
    this.gop.push(unit);
    this.out.unit(unit, startsGop);
  }

  preamble(): readonly Uint8Array[] {
    return [...this.gop];
  }
  headers(): Uint8Array {
    return this.headersInForce;
  }
  tracks(): void {}
  frame(): void {}
  paused(): void {
    this.out.paused();
  }
  ended(): void {
    this.out.ended();
  }
}

/** Reads numbered units from a socket. */
export class UnitReader {
  readonly numbers: number[] = [];
  readonly keyframes: boolean[] = [];
  isEnded = false;
  private rest: Buffer = Buffer.alloc(0);

  receive(bytes: Buffer): void {
    this.rest = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    while (this.rest.length >= UNIT_HEADER_BYTES && this.rest.length >= this.rest.readUInt32BE(4)) {
      this.numbers.push(this.rest.readUInt32BE(0));
      this.keyframes.push(this.rest[8] === 1);
      this.rest = this.rest.subarray(this.rest.readUInt32BE(4));
    }
  }
}

/** A viewer in memory, for large numbers. */
export class MemorySocket implements ViewerSocket {
  writableLength = 0;
  readonly written: Uint8Array[] = [];
  isDestroyed = false;
  isEnded = false;
  private closed: (() => void) | undefined;
  write(bytes: Uint8Array): boolean {
    this.written.push(bytes);
    return true;
  }
  cork(): void {}
  uncork(): void {}
  end(callback: () => void): void {
    this.isEnded = true;
    callback();
  }
  destroy(): void {
    this.isDestroyed = true;
  }
  on(event: 'close' | 'error', listener: (error: Error) => void): void {
    if (event === 'close') this.closed = () => listener(new Error('closed'));
  }
  leave(): void {
    this.closed?.();
  }
  units(): number[] {
    const reader = new UnitReader();
    for (const bytes of this.written) reader.receive(Buffer.from(bytes));
    return reader.numbers;
  }
}

/** A loopback listener that makes pairs of connected sockets. */
export class SocketPairs {
  private readonly server: Server = createServer({ noDelay: true });
  private readonly sockets: Socket[] = [];

  async open(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
  }

  async pair(): Promise<{ server: Socket; client: Socket }> {
    const accepted = once(this.server, 'connection') as Promise<[Socket]>;
    const client = connect({ port: (this.server.address() as AddressInfo).port, host: '127.0.0.1', noDelay: true });
    const [server] = await accepted;
    client.on('error', () => undefined);
    this.sockets.push(server, client);
    return { server, client };
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

/** Turns of the event loop until the condition holds; the test's own time limit ends a wait in vain. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
