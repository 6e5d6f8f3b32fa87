export { BandwidthEstimator, type BandwidthEstimatorOptions, type FeedbackSamples } from './congestion/bandwidth-estimator.ts';
export { keyframePace, type PacedFlow, PUMP_INTERVAL_MS } from './congestion/keyframe-pace.ts';
export type { BandwidthUsage } from './congestion/overuse-detector.ts';
export type { Probe } from './congestion/probe-plan.ts';
export { RenditionChoice, type RenditionOption, type RenditionReason, type RenditionVerdict } from './congestion/rendition-choice.ts';
export {
  type AbsCaptureTime,
  decodeAbsCaptureTime,
  decodeAbsSendTime,
  decodePlayoutDelay,
  decodeSdesItem,
  decodeTransportCc,
  encodeAbsCaptureTime,
  encodeAbsSendTime,
  encodePlayoutDelay,
  encodeSdesItem,
  encodeTransportCc,
  headerExtensionUris,
  type PlayoutDelay,
} from './header-extensions.ts';
export { parseRtpPacket, type RtpPacket, type RtpPacketFields, writeRtpPacket } from './packet.ts';
export type { RtpExtensionElement, RtpExtensions } from './packet-extensions.ts';
export { depacketize, startsFrame, startsKeyframe } from './payload/depacketizer.ts';
export { createPacketizer } from './payload/packetizer.ts';
export type { AssembledFrame, Packetizer, RtpCodec, RtpFrame, RtpPayloads } from './payload/payload-format.ts';
export { type ClockTrack, type ClockTrackOptions, MediaClock } from './receive/media-clock.ts';
export { type NackOptions, nackOptionsDefault } from './receive/nack-generator.ts';
export { PeerClock } from './receive/peer-clock.ts';
export { type ReportedStream, RtcpReporter, type RtcpReporterOptions } from './receive/rtcp-reporter.ts';
export {
  type ReceivedFrame,
  RtpReceiver,
  type RtpReceiverOptions,
  type RtpReceiverOutput,
  type RtpReceiverStats,
  type RtxStream,
} from './receive/rtp-receiver.ts';
export { SenderClock } from './receive/sender-clock.ts';
export { type RtcpSink, TwccReceiver, type TwccReceiverOptions } from './receive/twcc-receiver.ts';
export { KeyframeRequests } from './rtcp/keyframe-requests.ts';
export { NackLimiter, type NackLimits, nackLimitsDefault } from './rtcp/nack-limiter.ts';
export { roundTripMs } from './rtcp/ntp.ts';
export type {
  FullIntraRequest,
  Goodbye,
  Nack,
  PictureLossIndication,
  ReceiverEstimatedMaximumBitrate,
  ReceiverReport,
  ReportBlock,
  RtcpPacket,
  SenderReport,
  SourceDescription,
  TransportFeedback,
} from './rtcp/packet.ts';
export { parseRtcp } from './rtcp/parse.ts';
export { RtcpWriter, rtcpBytesMax } from './rtcp/writer.ts';
