import { type Percentiles, percentiles, timesText } from './percentiles.ts';
import type { ViewerRecord } from './viewer-record.ts';

/** What a load of WHEP viewers measured beyond what all kinds do. Times count from the offer, in ms. */
export interface WebrtcResult {
  readonly connected: number;
  readonly answeredMs: Percentiles | null;
  /** To the end of the DTLS handshake. */
  readonly connectedMs: Percentiles | null;
  readonly firstVideoPacketMs: Percentiles | null;
  readonly firstAudioPacketMs: Percentiles | null;
  /** Of probes: to the first picture that moves on in step with its sender; only known for streams of `sluice load publish`. */
  readonly liveMs: Percentiles | null;
  readonly packetsPerSecond: number;
  readonly lostPackets: number;
  readonly lostPercent: number;
  readonly jitterMs: Percentiles | null;
  readonly keyframeRequests: number;
  /** Viewers by SRTP protection profile. */
  readonly srtpProfiles: Readonly<Record<string, number>>;
  /** Viewers that put frames together, and what they got. */
  readonly probes: number;
  readonly frames: number;
  readonly framesCompletePercent: number;
  readonly repairedPackets: number;
}

/** Undefined when none of the clients is a WHEP viewer. */
export function summariseWebrtc(records: readonly ViewerRecord[], packetsPerSecond: number): WebrtcResult | undefined {
  const all = records.flatMap(({ webrtc }) => (webrtc === undefined ? [] : [webrtc]));
  if (all.length === 0) return undefined;
  const after = (read: (record: ViewerRecord) => number | undefined): Percentiles | null =>
    percentiles(
      records.flatMap((record) => {
        const at = read(record);
        return at === undefined ? [] : [at - record.startedAtMs];
      }),
    );
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const probes = all.flatMap(({ probe }) => (probe === undefined ? [] : [probe]));
  const [packets, lostPackets] = [sum(all.map((one) => one.packets)), sum(all.map((one) => one.lostPackets))];
  const [frames, lostFrames] = [sum(probes.map((one) => one.frames)), sum(records.map((one) => one.lostFrames))];
  const srtpProfiles: Record<string, number> = {};
  for (const { srtpProfile } of all) if (srtpProfile !== undefined) srtpProfiles[srtpProfile] = (srtpProfiles[srtpProfile] ?? 0) + 1;
  return {
    connected: all.filter(({ connectedAtMs }) => connectedAtMs !== undefined).length,
    answeredMs: after(({ webrtc }) => webrtc?.answeredAtMs),
    connectedMs: after(({ webrtc }) => webrtc?.connectedAtMs),
    firstVideoPacketMs: after(({ webrtc }) => webrtc?.firstVideoAtMs),
    firstAudioPacketMs: after(({ webrtc }) => webrtc?.firstAudioAtMs),
    liveMs: after(({ webrtc }) => webrtc?.probe?.liveAtMs),
    packetsPerSecond: Math.round(packetsPerSecond),
    lostPackets,
    lostPercent: percent(lostPackets, packets + lostPackets),
    jitterMs: percentiles(all.flatMap(({ jitterMs }) => (jitterMs === undefined ? [] : [jitterMs]))),
    keyframeRequests: sum(all.map((one) => one.keyframeRequests)),
    srtpProfiles,
    probes: probes.length,
    frames,
    framesCompletePercent: percent(frames, frames + lostFrames),
    repairedPackets: sum(probes.map((one) => one.repaired)),
  };
}

/** With three decimals; 0 of nothing. */
const percent = (part: number, whole: number): number => (whole === 0 ? 0 : Math.round((part / whole) * 100_000) / 1000);

/** Lines for the table. */
export function webrtcRows(result: WebrtcResult): ReadonlyArray<readonly [string, string]> {
  return [
    ['connected', `${result.connected}, ${timesText(result.connectedMs)}`],
    ['SDP answer', timesText(result.answeredMs)],
    ['first video', timesText(result.firstVideoPacketMs)],
    ['first audio', timesText(result.firstAudioPacketMs)],
    ['live', timesText(result.liveMs)],
    ['packets', `${result.packetsPerSecond.toLocaleString('en')} a second, ${result.lostPackets} lost (${result.lostPercent} %)`],
    ['jitter', timesText(result.jitterMs)],
    ['whole frames', `${result.framesCompletePercent} % of ${result.probes} probes' frames, ${result.repairedPackets} packets repaired`],
    ['keyframe requests', String(result.keyframeRequests)],
    [
      'SRTP',
      Object.entries(result.srtpProfiles)
        .map(([name, count]) => `${count} ${name}`)
        .join(', ') || 'none',
    ],
  ];
}
