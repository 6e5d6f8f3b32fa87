import { ProtocolError } from '../../../core/mod.ts';
import { opusPacketSamples } from '../../../media/mod.ts';
import { badPayload, reading } from './malformed.ts';
import { PayloadBuffer } from './payload-buffer.ts';
import type { AssembledFrame, Packetizer, RtpFrame, RtpPayloads } from './payload-format.ts';

/** RFC 7587: an Opus packet is the payload; there is no way to cut one. */
export class OpusPacketizer implements Packetizer {
  private readonly payloadBytesMax: number;
  private readonly payloads: PayloadBuffer = new PayloadBuffer();

  constructor(payloadBytesMax: number) {
    this.payloadBytesMax = payloadBytesMax;
  }

  packetize(frame: RtpFrame): RtpPayloads {
    const { payload } = frame;
    this.payloads.reset();
    if (payload.length > this.payloadBytesMax) {
      throw new ProtocolError(
        'rtp.frame-too-large',
        `an Opus packet of ${payload.length} bytes; at most ${this.payloadBytesMax} fit into an RTP packet: lower the audio bitrate`,
      );
    }
    if (payload.length > 0) this.payloads.put(payload);
    return this.payloads;
  }
}

/** RFC 7587: one packet with a valid duration. */
export function depacketizeOpus(payloads: readonly Uint8Array[]): AssembledFrame {
  const [packet] = payloads;
  if (packet === undefined || payloads.length > 1) throw badPayload('opus', `${payloads.length} payloads; an Opus packet is exactly one`);
  reading('opus', 'Opus packet', () => opusPacketSamples(packet));
  return { payload: packet.slice(), isKeyframe: true };
}
