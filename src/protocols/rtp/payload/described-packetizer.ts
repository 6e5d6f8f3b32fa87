import { equalPieceSize, PayloadBuffer } from './payload-buffer.ts';
import type { Packetizer, RtpFrame, RtpPayloads } from './payload-format.ts';

const DESCRIPTOR_BYTES = 1;

/** Which part of which kind of frame a payload holds. */
export interface FramePiece {
  readonly isKeyframe: boolean;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/**
 * The packetizer that VP8 and VP9 share: a frame in pieces of equal size, each behind a payload descriptor of one byte. It has no PictureID:
 * libwebrtc would take that, where there is no temporal index, for the frame's identity, but it jumps when a viewer is moved to another
 * rendition or another packetizer begins; without it the sequence numbers count, which stay continuous for each viewer.
 */
export class DescribedPacketizer implements Packetizer {
  private readonly descriptor: (piece: FramePiece) => number;
  private readonly payloadBytesMax: number;
  private readonly payloads: PayloadBuffer = new PayloadBuffer();

  constructor(descriptor: (piece: FramePiece) => number, payloadBytesMax: number) {
    this.descriptor = descriptor;
    this.payloadBytesMax = payloadBytesMax;
  }

  packetize(frame: RtpFrame): RtpPayloads {
    const { payload, isKeyframe } = frame;
    this.payloads.reset();
    const size = equalPieceSize(payload.length, this.payloadBytesMax - DESCRIPTOR_BYTES);
    for (let from = 0; from < payload.length; from += size) {
      const to = Math.min(from + size, payload.length);
      const at = this.payloads.add(DESCRIPTOR_BYTES + to - from);
      const { bytes } = this.payloads;
      bytes[at] = this.descriptor({ isKeyframe, isFirst: from === 0, isLast: to === payload.length });
      bytes.set(payload.subarray(from, to), at + DESCRIPTOR_BYTES);
    }
    return this.payloads;
  }
}
