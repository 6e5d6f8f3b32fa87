import { ProtocolError, type WallMs, wallMs } from '../../../core/mod.ts';
import { decodeAbsCaptureTime } from '../header-extensions.ts';
import type { RtpPacket } from '../packet.ts';
import type { SenderClock } from './sender-clock.ts';

/** A capture time is carried on for so long to frames that have none: senders repeat it each second or so. */
const INTERPOLATION_MS_MAX = 5_000;

/** Says when frames were captured: by abs-capture-time, carried on from frame to frame, or else by the sender reports. */
export class CaptureClock {
  private readonly clockRate: number;
  private readonly sender: SenderClock;
  private readonly extensionId: number | undefined;
  private anchor: { readonly timestamp: number; readonly captureMs: number } | undefined = undefined;

  constructor(clockRate: number, sender: SenderClock, extensionId: number | undefined) {
    this.clockRate = clockRate;
    this.sender = sender;
    this.extensionId = extensionId;
  }

  /** The abs-capture-time of a packet as Unix ms; NaN when it has none that can be read. */
  read(packet: RtpPacket): number {
    const value = this.extensionId === undefined ? undefined : packet.extensions.get(this.extensionId);
    if (value === undefined) return Number.NaN;
    try {
      return decodeAbsCaptureTime(value).captureMs;
    } catch (error) {
      // An extension is never worth the packet that carries it.
      if (!(error instanceof ProtocolError)) throw error;
      return Number.NaN;
    }
  }

  /** The capture time, on the publisher's clock, of the frame at an unwrapped `timestamp`; `ownMs` is its own abs-capture-time or NaN. */
  captureMs(timestamp: number, ownMs: number): WallMs | undefined {
    if (!Number.isNaN(ownMs)) this.anchor = { timestamp, captureMs: ownMs };
    const { anchor } = this;
    if (anchor !== undefined) {
      const elapsedMs = ((timestamp - anchor.timestamp) * 1000) / this.clockRate;
      if (Math.abs(elapsedMs) <= INTERPOLATION_MS_MAX) return wallMs(anchor.captureMs + elapsedMs);
    }
    return this.sender.isKnown ? this.sender.toWallMs(timestamp) : undefined;
  }
}
