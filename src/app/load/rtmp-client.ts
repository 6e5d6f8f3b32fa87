import type { Socket } from 'node:net';
import { openConnection } from './connection.ts';
import { RtmpScanner } from './rtmp-scanner.ts';
import { clientHello, commandMessage, controlMessage, MESSAGE, ownChunkSize, pong, SERVER_HELLO_SIZE } from './rtmp-wire.ts';

const PING_REQUEST = 6;
const ACKNOWLEDGE_EVERY_DEFAULT = 1_000_000;
/** `capsEx` of `connect` (Enhanced RTMP v2): this client follows reconnect requests. */
const CAN_RECONNECT = 1;

export interface RtmpClientListener {
  /** Audio and video messages; `head` holds at most their first 256 bytes, borrowed. */
  media(type: number, timestamp: number, head: Buffer): void;
  bytes(count: number): void;
  /** The status of publish or play came, e.g. `NetStream.Publish.Start`. */
  status(code: string): void;
  /** The server asks to go on at another one (Enhanced RTMP v2, Reconnect Request), undefined: to connect anew. */
  reconnect?(tcUrl: string | undefined): void;
  closed(reason: string): void;
}

/** The address of a stream as RTMP spells it. */
export interface RtmpTarget {
  readonly host: string;
  readonly port: number;
  readonly app: string;
  readonly stream: string;
  readonly tcUrl: string;
}

/** Takes `rtmp://HOST[:PORT]/APP/STREAM[?query]` apart; throws an Error on anything else. */
export function rtmpTarget(text: string): RtmpTarget {
  const url = new URL(text);
  const [, app, stream] = /^\/([^/]+)\/(.+)$/.exec(url.pathname) ?? [];
  if (url.protocol !== 'rtmp:' || app === undefined || stream === undefined) {
    throw new Error(`${text} is not of the form rtmp://HOST[:PORT]/APP/STREAM`);
  }
  return { host: url.hostname, port: Number(url.port || 1935), app, stream: stream + url.search, tcUrl: `rtmp://${url.host}/${app}` };
}

/** The same stream at the server that a reconnect request names. */
export const movedTarget = (target: RtmpTarget, tcUrl: string): RtmpTarget => rtmpTarget(`${tcUrl}/${target.stream}`);

/** A connection that has sent connect, createStream and `verb` without waiting for the answers in between. */
export class RtmpClient {
  readonly socket: Socket;
  private readonly listener: RtmpClientListener;
  private readonly scanner: RtmpScanner;
  private handshakeLeft = SERVER_HELLO_SIZE;
  private readonly serverHello = Buffer.alloc(SERVER_HELLO_SIZE);
  private received = 0;
  private acknowledged = 0;
  private acknowledgeEvery = ACKNOWLEDGE_EVERY_DEFAULT;

  constructor(target: RtmpTarget, verb: 'play' | 'publish', listener: RtmpClientListener) {
    this.listener = listener;
    this.scanner = new RtmpScanner({ message: (type, timestamp, head) => this.message(type, timestamp, head) });
    this.socket = openConnection(target.host, target.port, {
      connected: () => this.socket.write(clientHello()),
      received: (bytes) => {
        try {
          this.receive(bytes, target, verb);
        } catch (error) {
          this.socket.destroy(error instanceof Error ? error : new Error(String(error)));
        }
      },
      closed: (reason) => listener.closed(reason),
    });
  }

  private receive(bytes: Buffer, target: RtmpTarget, verb: 'play' | 'publish'): void {
    let rest = bytes;
    if (this.handshakeLeft > 0) {
      const step = Math.min(this.handshakeLeft, bytes.length);
      bytes.copy(this.serverHello, SERVER_HELLO_SIZE - this.handshakeLeft, 0, step);
      this.handshakeLeft -= step;
      rest = bytes.subarray(step);
      if (this.handshakeLeft === 0) this.greet(target, verb);
    }
    if (rest.length === 0) return;
    this.received += rest.length;
    this.listener.bytes(rest.length);
    this.scanner.receive(rest);
    if (this.received - this.acknowledged < this.acknowledgeEvery) return;
    this.acknowledged = this.received;
    this.socket.write(controlMessage(MESSAGE.acknowledgement, this.received % 2 ** 32));
  }

  private greet(target: RtmpTarget, verb: 'play' | 'publish'): void {
    // C2 is S1 given back.
    this.socket.write(Buffer.from(this.serverHello.subarray(1, 1 + (SERVER_HELLO_SIZE - 1) / 2)));
    this.socket.write(
      Buffer.concat([
        ownChunkSize(),
        commandMessage(0, 'connect', 1, {
          app: target.app,
          type: 'nonprivate',
          flashVer: 'sluice-load',
          tcUrl: target.tcUrl,
          capsEx: this.listener.reconnect === undefined ? 0 : CAN_RECONNECT,
        }),
        commandMessage(0, 'createStream', 2, null),
        verb === 'play' ? commandMessage(1, 'play', 3, null, target.stream) : commandMessage(1, 'publish', 3, null, target.stream, 'live'),
      ]),
    );
  }

  private message(type: number, timestamp: number, head: Buffer): void {
    if (type === MESSAGE.audio || type === MESSAGE.video) this.listener.media(type, timestamp, head);
    else if (type === MESSAGE.windowSize) this.acknowledgeEvery = Math.max(1, head.readUInt32BE(0) >> 1);
    else if (type === MESSAGE.userControl && head.readUInt16BE(0) === PING_REQUEST) this.socket.write(pong(head.readUInt32BE(2)));
    else if (type === MESSAGE.command) this.command(head.toString('latin1'));
  }

  private command(text: string): void {
    const status = /Net(?:Stream|Connection)\.[A-Za-z.]+[a-z]/.exec(text)?.[0];
    if (status === 'NetConnection.Connect.ReconnectRequest') this.listener.reconnect?.(stringProperty(text, 'tcUrl'));
    else if (status !== undefined) this.listener.status(status);
  }

  close(): void {
    this.socket.destroy();
  }
}

/** A property of an AMF0 object that is a string: its name, the marker 2, two bytes of length. */
function stringProperty(command: string, name: string): string | undefined {
  const at = command.indexOf(`${name}\u{2}`) + name.length + 3;
  if (at < name.length + 3) return undefined;
  return command.slice(at, at + command.charCodeAt(at - 2) * 256 + command.charCodeAt(at - 1));
}
