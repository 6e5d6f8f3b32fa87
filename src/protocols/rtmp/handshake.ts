import { ProtocolError } from '../../core/mod.ts';
import type { RtmpCrypto } from './crypto-port.ts';
import { findClientDigest, HANDSHAKE_BYTES, serverAnswer, signServerHandshake } from './handshake-digest.ts';

const VERSION = 3;
// Any version of 3 or more tells FFmpeg and Flash that S1 carries a digest.
const SERVER_VERSION = Uint8Array.of(4, 5, 0, 1);

/** A handshake in progress. */
export interface Handshake {
  /** Whether chunks may follow. */
  readonly isDone: boolean;
  /** Takes borrowed bytes; returns how many of them belong to the handshake. Throws `ProtocolError`. */
  receive(bytes: Uint8Array): number;
}

/** Collects a fixed count of bytes over inputs split anywhere. */
class Collector {
  readonly bytes: Uint8Array;
  private filled = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  get isFull(): boolean {
    return this.filled === this.bytes.length;
  }

  take(bytes: Uint8Array, from: number): number {
    const taken = Math.min(this.bytes.length - this.filled, bytes.length - from);
    this.bytes.set(bytes.subarray(from, from + taken), this.filled);
    this.filled += taken;
    return from + taken;
  }
}

function checkVersion(version: number): void {
  if (version === VERSION) return;
  if (version === 6 || version === 8 || version === 9) {
    throw new ProtocolError('rtmp.handshake-encrypted', `RTMPE (version ${version}) is not supported: use rtmps:// instead`);
  }
  throw new ProtocolError('rtmp.handshake-version', `handshake starts with version ${version}, only ${VERSION} is RTMP`);
}

/** The server's side of the simple handshake (RTMP 1.0, 5.2) and of the digest handshake, whichever the client speaks. */
export class ServerHandshake implements Handshake {
  private readonly send: (bytes: Uint8Array) => void;
  private readonly crypto: RtmpCrypto;
  private readonly c0c1 = new Collector(1 + HANDSHAKE_BYTES);
  private c2Left = HANDSHAKE_BYTES;
  private kind: 'simple' | 'digest' | undefined = undefined;

  constructor(send: (bytes: Uint8Array) => void, crypto: RtmpCrypto) {
    this.send = send;
    this.crypto = crypto;
  }

  get isDone(): boolean {
    return this.c2Left === 0;
  }

  /** Which handshake the client chose, once known. */
  get chosen(): 'simple' | 'digest' | undefined {
    return this.kind;
  }

  receive(bytes: Uint8Array): number {
    let at = 0;
    if (!this.c0c1.isFull) {
      at = this.c0c1.take(bytes, 0);
      // At the first byte already, so that something else than RTMP is turned away at once.
      if (at > 0) checkVersion(this.c0c1.bytes[0] as number);
      if (this.c0c1.isFull) this.answer(this.c0c1.bytes.subarray(1));
    }
    if (this.c0c1.isFull) {
      // C2's content is not looked at: several encoders fill it with something else than S1.
      const taken = Math.min(this.c2Left, bytes.length - at);
      this.c2Left -= taken;
      at += taken;
    }
    return at;
  }

  private answer(c1: Uint8Array): void {
    const claimsVersion = c1.subarray(4, 8).some((byte) => byte !== 0);
    const found = claimsVersion ? findClientDigest(c1, this.crypto) : undefined;
    this.kind = found === undefined ? 'simple' : 'digest';
    const s0s1s2 = new Uint8Array(1 + 2 * HANDSHAKE_BYTES);
    s0s1s2[0] = VERSION;
    const s1 = s0s1s2.subarray(1, 1 + HANDSHAKE_BYTES);
    s1.set(this.crypto.randomBytes(HANDSHAKE_BYTES - 8), 8);
    if (found === undefined) {
      s0s1s2.set(c1, 1 + HANDSHAKE_BYTES);
    } else {
      s1.set(SERVER_VERSION, 4);
      signServerHandshake(s1, found.scheme, this.crypto);
      s0s1s2.set(serverAnswer(found.digest, this.crypto), 1 + HANDSHAKE_BYTES);
    }
    this.send(s0s1s2);
  }
}

/** The client's side of the simple handshake. `start` sends C0 and C1. */
export class ClientHandshake implements Handshake {
  private readonly send: (bytes: Uint8Array) => void;
  private readonly crypto: Pick<RtmpCrypto, 'randomBytes'>;
  private readonly s0s1 = new Collector(1 + HANDSHAKE_BYTES);
  private s2Left = HANDSHAKE_BYTES;

  constructor(send: (bytes: Uint8Array) => void, crypto: Pick<RtmpCrypto, 'randomBytes'>) {
    this.send = send;
    this.crypto = crypto;
  }

  get isDone(): boolean {
    return this.s2Left === 0;
  }

  start(): void {
    const c0c1 = new Uint8Array(1 + HANDSHAKE_BYTES);
    c0c1[0] = VERSION;
    // Time and version stay zero: the sign of the simple handshake.
    c0c1.set(this.crypto.randomBytes(HANDSHAKE_BYTES - 8), 9);
    this.send(c0c1);
  }

  receive(bytes: Uint8Array): number {
    let at = 0;
    if (!this.s0s1.isFull) {
      at = this.s0s1.take(bytes, 0);
      if (at > 0) checkVersion(this.s0s1.bytes[0] as number);
      if (this.s0s1.isFull) this.send(this.s0s1.bytes.slice(1));
    }
    if (this.s0s1.isFull) {
      const taken = Math.min(this.s2Left, bytes.length - at);
      this.s2Left -= taken;
      at += taken;
    }
    return at;
  }
}
