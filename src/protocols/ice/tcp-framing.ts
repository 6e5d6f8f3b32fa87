import { ByteWriter, ProtocolError } from '../../core/mod.ts';

/** A longer frame ends the connection: STUN, DTLS and SRTP packets fit into an Ethernet MTU. */
export const TCP_FRAME_BYTES_MAX = 2048;
const LENGTH_BYTES = 2;

/** Cuts a TCP connection into packets: each has its length, 16 bits, before it (RFC 4571 §2). Keeps at most one frame. */
export class TcpFrameReader {
  private readonly partial: Uint8Array = new Uint8Array(LENGTH_BYTES + TCP_FRAME_BYTES_MAX);
  private held = 0;

  /**
   * Takes borrowed bytes, split anywhere. `take` gets each whole packet, borrowed until it returns; empty ones are skipped.
   * Throws `ice.frame-too-large`; the connection must be ended then.
   */
  receive(bytes: Uint8Array, take: (packet: Uint8Array) => void): void {
    let at = 0;
    while (at < bytes.length) {
      const wanted = this.held < LENGTH_BYTES ? LENGTH_BYTES : LENGTH_BYTES + this.frameLength;
      const count = Math.min(wanted - this.held, bytes.length - at);
      this.partial.set(bytes.subarray(at, at + count), this.held);
      this.held += count;
      at += count;
      if (this.held < LENGTH_BYTES) return;
      const length = this.frameLength;
      if (length > TCP_FRAME_BYTES_MAX) {
        throw new ProtocolError('ice.frame-too-large', `a frame of ${length} bytes; at most ${TCP_FRAME_BYTES_MAX} are taken`);
      }
      if (this.held < LENGTH_BYTES + length) continue;
      this.held = 0;
      if (length > 0) take(this.partial.subarray(LENGTH_BYTES, LENGTH_BYTES + length));
    }
  }

  private get frameLength(): number {
    return ((this.partial[0] ?? 0) << 8) | (this.partial[1] ?? 0);
  }
}

/** One packet (borrowed) as it goes into a TCP connection, given (RFC 4571 §2). */
export function frameForTcp(packet: Uint8Array): Uint8Array {
  return new ByteWriter(LENGTH_BYTES + packet.length).u16(packet.length).put(packet).finish();
}
