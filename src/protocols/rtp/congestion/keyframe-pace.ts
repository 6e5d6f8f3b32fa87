/** How often the caller pumps, in milliseconds. */
export const PUMP_INTERVAL_MS = 5;

// draft-ietf-rmcat-gcc-02 §4 paces by groups of 5 ms; 2.5 is libwebrtc's pacing factor: a keyframe leaves soon without filling the queue ahead.
const PACING_FACTOR = 2.5;
// libwebrtc lets so much go out as one burst: a usual frame whole, a keyframe within a few pumps.
const BURST_MS = 40;
const CATCH_UP_MS = 1000;
// Close to the deadline a small rest must not become one burst.
const CATCH_UP_LEFT_MS_MIN = 200;
const PACKET_BYTES_DEFAULT = 1200;
// As many as one UDP GSO send carries.
const PACKETS_MAX = 64;

/** What {@link keyframePace} is told about a flow. */
export interface PacedFlow {
  /** The stream's bitrate in bits per second. */
  readonly streamBps: number;
  /** The viewer's estimate in bits per second. */
  readonly estimateBps: number;
  /** Packets from the flow's cursor to the group's head. */
  readonly packetsBehind: number;
  /** How long the flow has been catching up, in milliseconds; 0 for one that starts, or whose backlog is one frame. */
  readonly catchingUpMs: number;
  /** Size of a packet of the stream; 1,200 when not known. */
  readonly packetBytes?: number;
}

/**
 * How many packets a pump (each 5 ms) a flow may send, 1 to 64: 2.5 times the larger of estimate and stream rate, 40 ms of the stream where the
 * estimate is no less than that, and at least what brings the flow to the head within a second of when it began to catch up.
 */
export function keyframePace(flow: PacedFlow): number {
  const packetBits = 8 * Math.max(1, flow.packetBytes ?? PACKET_BYTES_DEFAULT);
  const streamPackets = perPump(flow.streamBps / packetBits);
  // A path that is known to carry less than the stream gets no bursts.
  const burst = flow.estimateBps >= flow.streamBps ? (streamPackets * BURST_MS) / PUMP_INTERVAL_MS : 0;
  const paced = PACING_FACTOR * Math.max(streamPackets, perPump(flow.estimateBps / packetBits));
  const leftMs = Math.max(CATCH_UP_LEFT_MS_MIN, CATCH_UP_MS - Math.max(0, flow.catchingUpMs));
  const catchUp = streamPackets + (Math.max(0, flow.packetsBehind) * PUMP_INTERVAL_MS) / leftMs;
  const packets = Math.ceil(Math.max(paced, burst, catchUp));
  // NaN too becomes 1.
  return packets > 1 ? Math.min(PACKETS_MAX, packets) : 1;
}

const perPump = (packetsPerSecond: number): number => (packetsPerSecond * PUMP_INTERVAL_MS) / 1000;
