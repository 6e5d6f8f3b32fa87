/** The codecs with an RTP payload format here. */
export type RtpCodec = 'h264' | 'hevc' | 'vp8' | 'vp9' | 'av1' | 'opus';

/** The RTP payloads of one frame, one after the other in `bytes`. Borrowed: reused by the packetizer's next call. */
export interface RtpPayloads {
  readonly bytes: Uint8Array;
  /** Size of each payload; only the first `count` are meant. */
  readonly lengths: Uint16Array;
  readonly count: number;
}

/** An access unit in the house's format (see media's `Track`). */
export interface RtpFrame {
  readonly payload: Uint8Array;
  readonly isKeyframe: boolean;
}

/** Cuts the access units of one track into RTP payloads. */
export interface Packetizer {
  /**
   * Borrows the frame until the call returns. Fragments of a unit are of equal size, only the last is shorter.
   * No payloads come out of a frame with nothing to send, such as an access unit delimiter alone.
   * Throws ProtocolError: `rtp.frame-too-large` above 16 MiB or 16,384 payloads (and for an Opus packet above the payload limit), and
   * the media room's codes for a payload that is not in the track's format.
   */
  packetize(frame: RtpFrame): RtpPayloads;
}

/** What the payloads of one frame make up. */
export interface AssembledFrame {
  /** In the house's format, newly made. Empty when the packets carried parameter sets alone: keep `config` for the frame to come. */
  readonly payload: Uint8Array;
  readonly isKeyframe: boolean;
  /**
   * The avcC, hvcC or av1C for `videoTrack()` from in-band headers, when a complete set is there. Parameter sets of H.264 and HEVC that
   * went into it are no longer in `payload`.
   */
  readonly config?: Uint8Array;
}
